-- The tasks of workflows/historical_backfill.yaml.
--
-- Ranges, counters, keys and hashes go in and out; records never do: they live in one call of
-- run_chunk and end with it.
local calls = require "lib.calls"
local push = require "lib.push"
local request = require "lib.request"
local windows = require "lib.windows"
local M = {}

local RECORDS_PER_CHUNK = 500
local LONGEST_CHUNK_DAYS = 366
-- A payload of 256 KiB holds the chunks of a round (130 bytes each) and their results (250).
local MOST_CHUNKS = 600
local LONGEST_CAUSE = 200
local COUNTERS = { "read", "created", "updated", "exists", "unchanged", "conflicts", "refused",
                   "quarantined" }

local function refuse(message) sw.err.raise { class = "Sync.Refused", message = message } end

-- What a task raises is stored, so a task that asks providers leaves the details in the log.
local function cleaned(task)
  return function(ctx, q)
    local ok, result = pcall(task, ctx, q)
    if ok then return result end
    sw.log.warn("a task could not be finished", { chunk = q.chunk, error = tostring(result) })
    error(calls.clean(result), 0)
  end
end

local function facts_of(connection, type, way)
  return sw.provider(connection.provider).data_types[type][way]
end

local function zeros()
  local counts = {}
  for _, counter in ipairs(COUNTERS) do counts[counter] = 0 end
  return counts
end

local function chunk_of(type, from, to)
  return { chunk = type .. "/" .. sw.time.date(from) .. ".." .. sw.time.date(to), type = type,
           from = sw.time.iso(from), to = sw.time.iso(to) }
end

-- {user, source, destination, type, from, to, ...} -> the job, or all that is wrong with it.
M.validate = cleaned(function(ctx, q)
  local job, problems = request.check(q, ctx.now)
  if not job then refuse(table.concat(problems, "; ")) end
  return job
end)

-- Records a day in the newest page that the source has: one request.
local function sample(job, source, from, to)
  local page = calls.read(source.provider, "fetch", {
    connection = job.source, type = job.type, mode = "metadata", limit = 100,
    window = { from = sw.time.iso(math.max(from, to - 90 * 86400)), to = sw.time.iso(to) } })
  local first, last, count
  for _, record in ipairs(page.items) do
    if not record.bad then
      local t = sw.time.parse(record.time.start)
      first, last, count = math.min(first or t, t), math.max(last or t, t), (count or 0) + 1
    end
  end
  if not count or last == first then return nil end
  return count / windows.days(first, last)
end

-- How many records a day has: as the input says, as the source counts, as a sample shows when the
-- input asks for chunks of a size; or unknown.
local function density(job, from, to)
  if job.records_per_day then return job.records_per_day end
  local source = sw.connection(job.source)
  local read = facts_of(source, job.type, "read")
  if read.count == "exact" or read.count == "estimate" then
    local answer = calls.read(source.provider, "count", {
      connection = job.source, type = job.type,
      window = { from = sw.time.iso(from), to = sw.time.iso(to) } })
    return answer.count / windows.days(from, to)
  end
  return job.records_per_chunk and sample(job, source, from, to)
end

local function pieces_of(job, from, to)
  if job.is_retry then return { { from = from, to = to } } end
  local per_day = density(job, from, to)
  if not per_day or per_day <= 0 then return windows.months(from, to) end
  local read = facts_of(sw.connection(job.source), job.type, "read")
  local longest = tonumber((read.max_window or ""):match("^(%d+)d$")) or LONGEST_CHUNK_DAYS
  local wanted = (job.records_per_chunk or RECORDS_PER_CHUNK) / per_day
  return windows.pieces(from, to, math.min(longest, wanted))
end

-- Ranges -> chunks of about 500 records where the volume is known, else of a month; newest first.
-- Ranges that a run before gave up are run as they are.
M.plan_chunks = cleaned(function(ctx, job)
  local chunks = {}
  for _, range in ipairs(job.ranges) do
    for _, piece in ipairs(pieces_of(job, sw.time.parse(range.from), sw.time.parse(range.to))) do
      chunks[#chunks + 1] = chunk_of(job.type, piece.from, piece.to)
    end
  end
  if #chunks > MOST_CHUNKS then
    refuse(#chunks .. " chunks are more than " .. MOST_CHUNKS .. ": ask for fewer years at once")
  end
  return { chunks = sw.json.array(chunks), total = #chunks }
end)

-- Full records for those that came as metadata.
local function hydrate(job, source, records)
  local ids, out = {}, {}
  for _, record in ipairs(records) do
    if record.complete == false then
      ids[#ids + 1] = record.source.id
    else
      out[#out + 1] = record
    end
  end
  for first = 1, #ids, 20 do
    local batch = table.move(ids, first, math.min(first + 19, #ids), 1, {})
    local answer = sw.call(source.provider, "fetch_payloads",
                           { connection = job.source, type = job.type, ids = batch })
    for _, result in ipairs(answer.results) do
      if result.status == "ok" then
        out[#out + 1] = result.record
      elseif result.status == "missing" then  -- Deleted since it was listed.
        job.counts.read = job.counts.read - 1
      else
        sw.err.raise(result.error or { class = "Provider.Transient", message = "not attempted" })
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

-- As an instant: texts of times with fractions or offsets do not sort as the times do.  Nil when
-- the record cannot be read.
local function start_of(item)
  if item.bad then return nil end
  local ok, start = pcall(sw.time.parse, (item.time or {}).start)
  return ok and start or nil
end

-- Quarantines what is bad, drops what is outside, brings the rest to the destination.
local function run_page(job, source, window, page)
  local from, to = sw.time.parse(window.from), sw.time.parse(window.to)
  local records = {}
  for _, item in ipairs(page.items) do
    local start = start_of(item)
    if not start then
      job.counts.quarantined = job.counts.quarantined + 1
    elseif start >= from and start < to then
      records[#records + 1] = item
    end
  end
  job.counts.read = job.counts.read + #records
  if job.hydrate then records = hydrate(job, source, records) end
  push.push(job, as_items(job, source, records))
end

local function job_of(ctx, q)
  local destination = sw.connection(q.destination)
  local write = facts_of(destination, q.type, "write")
  local can_update = false
  for _, op in ipairs(write.ops) do can_update = can_update or op == "update" end
  return {
    source = q.source, destination = q.destination, destination_provider = destination.provider,
    type = q.type, hydrate = q.hydrate, conflicts = q.conflicts or "destination_wins",
    execution = ctx.execution, can_update = can_update, trouble = {},
    settle_s = (destination.settings or {}).settle_s or sw.time.duration(write.settle or "60s"),
    counts = zeros(),
  }
end

local function run_window(job, window)
  local source = sw.connection(job.source)
  local read, cursor = facts_of(source, job.type, "read"), nil
  repeat
    local page = calls.read(source.provider, "fetch", {
      connection = job.source, type = job.type, mode = read.modes[1], window = window,
      cursor = cursor, limit = read.page_size or 100 })
    run_page(job, source, window, page)
    cursor = page.next
  until cursor == nil
  push.raise(job.trouble)
end

-- {source, destination, type, from, to, chunk} -> counters.  May be run again at any time.
M.run_chunk = cleaned(function(ctx, q)
  local job = job_of(ctx, q)
  sw.ledger.chunk { chunk = q.chunk, status = "running", detail = { attempt = ctx.attempt } }
  run_window(job, { from = q.from, to = q.to })
  sw.ledger.chunk { chunk = q.chunk, status = "done", detail = job.counts }
  local counts = {}
  for counter, count in pairs(job.counts) do counts[counter] = count ~= 0 and count or nil end
  return { status = "done", type = q.type, from = q.from, to = q.to, counts = counts }
end)

-- A chunk that is too large or too slow -> smaller ones, or a failure when it is a day already.
function M.split_chunk(ctx, q)
  local pieces = windows.split(sw.time.parse(q.from), sw.time.parse(q.to))
  if not pieces then return M.fail_chunk(ctx, q) end
  local chunks = {}
  for i, piece in ipairs(pieces) do chunks[i] = chunk_of(q.type, piece.from, piece.to) end
  sw.ledger.chunk { chunk = q.chunk, status = "split", detail = { into = #chunks } }
  return { status = "split", chunks = sw.json.array(chunks) }
end

-- At most so many bytes of the text, cut between characters.
local function cut(text, most)
  return #text <= most and text or text:sub(1, utf8.offset(text, 0, most + 1) - 1)
end

function M.fail_chunk(ctx, q)
  local e = q.error or {}
  sw.ledger.chunk { chunk = q.chunk, status = "failed",
                    detail = { error = e.Error, cause = e.Cause } }
  return { status = "failed", type = q.type, from = q.from, to = q.to,
           error = e.Error or "unknown", cause = cut(e.Cause or "", LONGEST_CAUSE) }
end

local function add_counts(totals, counts)
  for counter, count in pairs(counts) do totals[counter] = (totals[counter] or 0) + count end
end

local function add_failed(out, result, error, cause)
  out.failed_ranges[#out.failed_ranges + 1] =
    { type = result.type, from = result.from, to = result.to, error = error, cause = cause }
end

local function add_result(out, result)
  if result.status == "split" then
    for _, chunk in ipairs(result.chunks) do
      if #out.chunks < MOST_CHUNKS then
        out.chunks[#out.chunks + 1] = chunk
      else
        add_failed(out, chunk, "Sync.TooManyChunks", "it was split into too many at once")
      end
    end
  elseif result.status == "failed" then
    add_failed(out, result, result.error, result.cause)
  else
    add_counts(out.counts, result.counts)
    if (result.counts.refused or 0) > 0 then
      add_failed(out, result, "Sync.RecordsRefused",
                 "the destination refused " .. result.counts.refused .. " records")
    end
  end
  out[result.status] = out[result.status] + 1
end

-- {results, so_far} -> what is done, what failed, and what was split and is to be run next.
function M.tally(ctx, q)
  local so_far = q.so_far or {}
  local out = {
    done = so_far.done or 0, failed = so_far.failed or 0, split = so_far.split or 0,
    counts = so_far.counts or zeros(), failed_ranges = sw.json.array(so_far.failed_ranges or {}),
    chunks = sw.json.array {},
  }
  for _, result in ipairs(q.results) do add_result(out, result) end
  out.more = #out.chunks > 0
  out.status = #out.failed_ranges == 0 and "COMPLETED" or "COMPLETED_WITH_ERRORS"
  return out
end

return M
