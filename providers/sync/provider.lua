-- The tasks of workflows/historical_backfill.yaml.
--
-- Ranges, counters, keys and hashes go in and out; records never do: they live in one call of
-- run_chunk and end with it.
local windows = require "lib.windows"
local push = require "lib.push"
local M = {}

local RECORDS_PER_CHUNK = 500
local LONGEST_CHUNK_DAYS = 366

local function refuse(message) sw.err.raise { class = "Sync.Refused", message = message } end

local function day(t) return sw.time.iso(t) end
local function name(type, from, to) return type .. "/" .. sw.time.date(from) .. ".." .. sw.time.date(to) end

-- Both ends of the sync, or a refusal that says what is missing.
local function ends(q)
  local source, destination = sw.connection(q.source), sw.connection(q.destination)
  local reads = (sw.provider(source.provider).data_types or {})[q.type]
  local writes = (sw.provider(destination.provider).data_types or {})[q.type]
  if not reads or not reads.read then refuse(source.provider .. " cannot be read for " .. q.type) end
  if not writes or not writes.write then refuse(destination.provider .. " cannot take " .. q.type) end
  return source, destination, reads.read, writes.write
end

-- {user, source, destination, type, from, to, ranges?} -> the job, checked.
function M.validate(ctx, q)
  for _, field in ipairs { "user", "source", "destination", "type" } do
    if type(q[field]) ~= "string" then refuse("the input needs \"" .. field .. "\"") end
  end
  local _, _, reads = ends(q)
  if reads.backfill == "none" or reads.history == "since_connect" then
    refuse("the source keeps no history of " .. q.type)
  end
  local ranges = {}
  for i, range in ipairs(q.ranges or {}) do
    ranges[i] = { from = sw.time.parse(range.from), to = sw.time.parse(range.to) }
  end
  if #ranges == 0 then
    if not q.from or not q.to then refuse("the input needs \"from\" and \"to\", or \"ranges\"") end
    ranges[1] = { from = sw.time.parse(q.from), to = sw.time.parse(q.to) }
  end
  for i, range in ipairs(ranges) do
    if range.from >= range.to then refuse("range " .. i .. " ends before it begins") end
    ranges[i] = { from = day(range.from), to = day(range.to) }
  end
  return {
    user = q.user, source = q.source, destination = q.destination, type = q.type,
    locale = q.locale or "en", ranges = ranges, given = q.ranges ~= nil and #q.ranges > 0,
    records_per_day = q.records_per_day,
  }
end

-- How many records a day has: as the input says, as the source counts, or unknown.
local function density(job, from, to)
  if job.records_per_day then return job.records_per_day end
  local source = sw.connection(job.source)
  local read = sw.provider(source.provider).data_types[job.type].read
  if read.count ~= "exact" and read.count ~= "estimate" then return nil end
  local answer = sw.call(source.provider, "count", {
    connection = job.source, type = job.type, window = { from = day(from), to = day(to) } })
  return answer.count / windows.days(from, to)
end

-- Ranges -> chunks of about 500 records where the volume is known, else of a month; newest first.
function M.plan_chunks(ctx, job)
  local chunks = {}
  for _, range in ipairs(job.ranges) do
    local from, to = sw.time.parse(range.from), sw.time.parse(range.to)
    local pieces
    local per_day = not job.given and density(job, from, to)
    if job.given then
      pieces = { { from = from, to = to } }
    elseif per_day and per_day > 0 then
      pieces = windows.pieces(from, to, math.min(LONGEST_CHUNK_DAYS, math.max(1, RECORDS_PER_CHUNK / per_day)))
    else
      pieces = windows.months(from, to)
    end
    for _, piece in ipairs(pieces) do
      chunks[#chunks + 1] = { chunk = name(job.type, piece.from, piece.to), type = job.type,
                              from = day(piece.from), to = day(piece.to) }
    end
  end
  return { chunks = sw.json.array(chunks) }
end

local function inside(record, q)
  return record.time.start >= q.from and record.time.start < q.to
end

-- Full records for those that came as metadata, when the workflow asks for them.
local function hydrate(job, source, q, records)
  if not q.hydrate then return records end
  local ids, out = {}, {}
  for _, record in ipairs(records) do
    if record.complete == false then ids[#ids + 1] = record.source.id else out[#out + 1] = record end
  end
  for first = 1, #ids, 20 do
    local batch = table.move(ids, first, math.min(first + 19, #ids), 1, {})
    local answer = sw.call(source.provider, "fetch_payloads",
                           { connection = job.source, type = job.type, ids = batch })
    for _, result in ipairs(answer.results) do
      if result.status == "ok" then
        out[#out + 1] = result.record
      elseif result.status ~= "missing" then
        sw.err.Transient { message = "a record could not be read in full" }
      end
    end
  end
  return out
end

local function as_items(job, source, records)
  local items = {}
  for i, record in ipairs(records) do
    items[i] = {
      key = sw.key(job.destination, job.type, source.provider, source.account, record.source.id),
      version = sw.hash { record.time, record.data }, record = record, op = "create",
    }
  end
  return items
end

-- One page: quarantine what is bad, drop what is outside, bring the rest to the destination.
local function run_page(ctx, job, source, q, page, counts, trouble)
  local records = {}
  for _, item in ipairs(page.items) do
    if item.bad then
      counts.quarantined = counts.quarantined + 1
    elseif inside(item, q) then
      records[#records + 1] = item
    end
  end
  counts.read = counts.read + #records
  push.push(job, as_items(job, source, hydrate(job, source, q, records)), counts, trouble, ctx.now)
end

-- {source, destination, type, from, to, chunk} -> counters.  May be run again at any time.
function M.run_chunk(ctx, q)
  local source, destination, reads, writes = ends(q)
  local settings = destination.settings or {}
  local job = {
    source = q.source, destination = q.destination, type = q.type,
    destination_provider = destination.provider,
    settle_s = settings.settle_s or sw.time.duration((writes.settle or "60s")),
  }
  local counts = { read = 0, created = 0, updated = 0, exists = 0, unchanged = 0, failed = 0, quarantined = 0 }
  local trouble = push.new_trouble()
  sw.ledger.chunk { chunk = q.chunk, status = "running", detail = { attempt = ctx.attempt } }
  local cursor
  repeat
    local page = sw.call(source.provider, "fetch", {
      connection = q.source, type = q.type, mode = "metadata", window = { from = q.from, to = q.to },
      cursor = cursor, limit = reads.page_size or 100 })
    run_page(ctx, job, source, q, page, counts, trouble)
    cursor = page.next
  until cursor == nil
  push.raise(trouble)
  sw.ledger.chunk { chunk = q.chunk, status = "done", detail = counts }
  return { status = "done", chunk = q.chunk, type = q.type, from = q.from, to = q.to, counts = counts }
end

-- A chunk that is too large or too slow -> smaller ones, or a failure when it is a day already.
function M.split_chunk(ctx, q)
  local pieces = windows.split(sw.time.parse(q.from), sw.time.parse(q.to))
  if not pieces then return M.fail_chunk(ctx, q) end
  local chunks = {}
  for i, piece in ipairs(pieces) do
    chunks[i] = { chunk = name(q.type, piece.from, piece.to), type = q.type,
                  from = day(piece.from), to = day(piece.to) }
  end
  sw.ledger.chunk { chunk = q.chunk, status = "split", detail = { into = #chunks } }
  return { status = "split", chunk = q.chunk, chunks = sw.json.array(chunks) }
end

function M.fail_chunk(ctx, q)
  local error = q.error or {}
  sw.ledger.chunk { chunk = q.chunk, status = "failed", detail = { error = error.Error } }
  return { status = "failed", chunk = q.chunk, type = q.type, from = q.from, to = q.to,
           error = error.Error or "unknown", cause = error.Cause or "" }
end

local function add_counts(totals, counts)
  for counter, count in pairs(counts) do totals[counter] = (totals[counter] or 0) + count end
end

-- {results, so_far} -> what is done, what failed, and what was split and is to be run next.
function M.tally(ctx, q)
  local so_far = q.so_far or {}
  local out = {
    done = so_far.done or 0, failed = so_far.failed or 0, split = so_far.split or 0,
    counts = so_far.counts or {}, failed_ranges = sw.json.array(so_far.failed_ranges or {}),
    chunks = sw.json.array {},
  }
  for _, result in ipairs(q.results) do
    out[result.status] = out[result.status] + 1
    if result.status == "done" then
      add_counts(out.counts, result.counts)
    elseif result.status == "split" then
      for _, chunk in ipairs(result.chunks) do out.chunks[#out.chunks + 1] = chunk end
    else
      out.failed_ranges[#out.failed_ranges + 1] =
        { type = result.type, from = result.from, to = result.to, error = result.error }
    end
  end
  out.more = #out.chunks > 0
  out.status = #out.failed_ranges == 0 and "COMPLETED" or "COMPLETED_WITH_ERRORS"
  return out
end

return M
