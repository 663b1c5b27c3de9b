-- What a backfill is asked to do, checked against what the two providers can do.  Everything that
-- is wrong is said at once, before anything is begun.
local M = {}

local STRATEGIES = { destination_wins = true, keep_both = true,
                     source_wins = true, newest_wins = true }

local function facts_of(provider, type)
  return (sw.provider(provider).data_types or {})[type] or {}
end

local function has(list, word)
  for _, one in ipairs(list or {}) do
    if one == word then return true end
  end
  return false
end

-- The connection, or nil after saying what is wrong with it.
local function connection(id, role, say)
  if type(id) ~= "string" then
    return say('the input needs "' .. role .. '", the id of a connection')
  end
  local ok, found = pcall(sw.connection, id)
  if not ok then return say(role .. ": " .. tostring(found.message or found)) end
  if found.status ~= "ready" then
    say(role .. ": " .. id .. " is " .. found.status .. "; it must be connected again")
  end
  return found
end

local function instant(text, name, say)
  local ok, t = pcall(sw.time.parse, text)
  if ok then return t end
  say(name .. " is not a valid time: " .. tostring(text))
end

local function ranges_of(q, say)
  local given = type(q.ranges) == "table" and q.ranges or {}
  if #given == 0 then
    if not q.from or not q.to then return say('the input needs "from" and "to", or "ranges"') end
    given = { { from = q.from, to = q.to } }
  end
  local out = {}
  for i, range in ipairs(given) do
    local name = #given == 1 and "the range" or "range " .. i
    local from = instant(range.from, name .. "'s from", say)
    local to = instant(range.to, name .. "'s to", say)
    if from and to and from >= to then say(name .. " ends before it begins") end
    out[i] = { from = from, to = to }
  end
  return out
end

-- How far back the source can tell.
local function check_history(name, read, ranges, now, say)
  local history = read.history or "all"
  if read.backfill == "none" or history == "since_connect" then
    return say(name .. " keeps no history")
  end
  if read.backfill == "device" then
    return say(name .. " has its history on the device only: it cannot be asked")
  end
  if read.backfill == "request" then
    return say(name .. " sends its history by webhook only, which is not built yet")
  end
  local days = tonumber(history:match("^(%d+)d$"))
  for _, range in ipairs(ranges or {}) do
    if days and range.from and range.from < now - days * 86400 then
      local first = sw.time.date(now - days * 86400)
      return say(name .. " keeps " .. days .. " days: nothing before " .. first .. " can be had")
    end
  end
end

local function check_conflicts(strategy, name, write, say)
  if not STRATEGIES[strategy] then
    return say("conflicts: there is no strategy " .. tostring(strategy))
  end
  if strategy == "destination_wins" or strategy == "keep_both" then return end
  if write.owned_only or not has(write.ops, "update") then
    return say("conflicts: " .. strategy .. " cannot be had, " .. name
               .. " lets nobody change records of others; use destination_wins or keep_both")
  end
  say("conflicts: " .. strategy .. " is not built yet; use destination_wins or keep_both")
end

local function check_pair(q, source, destination, ranges, now, say)
  if source.id == destination.id then say("source and destination are the same") end
  local read = facts_of(source.provider, q.type).read
  local write = facts_of(destination.provider, q.type).write
  if not read then
    say(source.provider .. " has no " .. q.type .. " to read")
  else
    check_history(source.provider .. "'s " .. q.type, read, ranges, now, say)
  end
  if not write then
    say(destination.provider .. " takes no " .. q.type)
  elseif not has(write.ops, "create") then
    say(destination.provider .. " lets no " .. q.type .. " be created")
  else
    check_conflicts(q.conflicts or "destination_wins", destination.provider, write, say)
  end
  return read or {}
end

-- Do the fields that are wanted need each record to be read by itself?
local function needs_hydration(fields, read)
  if (read.hydrate_cost or 0) == 0 then return false end
  for _, field in ipairs(fields or {}) do
    if not has(read.metadata_fields, field) then return true end
  end
  return false
end

-- q -> job, problems
function M.check(q, now)
  local problems = {}
  local function say(text) problems[#problems + 1] = text end
  if type(q.user) ~= "string" then say('the input needs "user"') end
  if type(q.type) ~= "string" then say('the input needs "type", such as workout') end
  local source = connection(q.source, "source", say)
  local destination = connection(q.destination, "destination", say)
  local ranges = ranges_of(q, say)
  local read = {}
  if source and destination and type(q.type) == "string" then
    read = check_pair(q, source, destination, ranges, now, say)
  end
  if #problems > 0 then return nil, problems end
  local out = {}
  for i, range in ipairs(ranges) do
    out[i] = { from = sw.time.iso(range.from), to = sw.time.iso(range.to) }
  end
  return {
    user = q.user, source = q.source, destination = q.destination, type = q.type,
    locale = q.locale or "en", ranges = out, is_retry = type(q.ranges) == "table" and #q.ranges > 0,
    conflicts = q.conflicts or "destination_wins", hydrate = needs_hydration(q.fields, read),
    records_per_day = q.records_per_day, records_per_chunk = q.records_per_chunk,
  }, problems
end

return M
