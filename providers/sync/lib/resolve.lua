-- Is a record at the destination already, written by somebody else?  (Some vendors pass records on
-- to each other behind our back.)  The same sport, a start at most three minutes away, a length
-- within a tenth: then it is the same workout, and what is there stays.
local calls = require "lib.calls"
local M = {}

local NEAR_S = 180
local DAY = 86400

local function facts(record)
  return {
    id = record.source.id, sport = record.data.sport, start = sw.time.parse(record.time.start),
    length = sw.time.parse(record.time["end"]) - sw.time.parse(record.time.start),
  }
end

local function is_same(a, b)
  return a.sport == b.sport and math.abs(a.start - b.start) <= NEAR_S
    and math.abs(a.length - b.length) <= 0.1 * math.max(a.length, b.length)
end

-- By day, so that each record meets only a few.
local function shelve(shelves, one)
  local day = one.start // DAY
  shelves[day] = shelves[day] or {}
  table.insert(shelves[day], one)
end

-- What is at the destination around the items, but for our own (by remote id).
local function read_there(job, items, own)
  local first, last = math.huge, -math.huge
  for _, item in ipairs(items) do
    local start = sw.time.parse(item.record.time.start)
    first, last = math.min(first, start), math.max(last, start)
  end
  local shelves, cursor = {}, nil
  repeat
    local page = calls.read(job.destination_provider, "fetch", {
      connection = job.destination, type = job.type, mode = "full", cursor = cursor, limit = 100,
      window = { from = sw.time.iso(first - NEAR_S), to = sw.time.iso(last + NEAR_S + 1) } })
    for _, record in ipairs(page.items) do
      if not record.bad and not own[record.source.id] then shelve(shelves, facts(record)) end
    end
    cursor = page.next
  until cursor == nil
  return shelves
end

-- The items that the destination does not have from elsewhere, and how many it has.
function M.fresh_only(job, items, own)
  if #items == 0 or job.conflicts == "keep_both" then return items, 0 end
  local there, fresh = read_there(job, items, own), {}
  for _, item in ipairs(items) do
    local mine, found = facts(item.record), false
    for day = mine.start // DAY - 1, mine.start // DAY + 1 do
      for _, theirs in ipairs(there[day] or {}) do found = found or is_same(mine, theirs) end
    end
    if not found then fresh[#fresh + 1] = item end
  end
  return fresh, #items - #fresh
end

return M
