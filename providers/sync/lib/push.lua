-- Writing records to a destination so that each arrives once, whatever happens on the way.
--
-- The ledger has a row per key: `intent` (written before the call), then `done`, `pending` or
-- `failed`.  An intent without an end is a write whose outcome is unknown: it is looked up at the
-- destination, but only after the destination has had time to settle: until then, what is absent
-- may still be on its way.
local calls = require "lib.calls"
local resolve = require "lib.resolve"
local M = {}

local BATCH = 10

local function batches(list)
  local first = 1 - BATCH
  return function()
    first = first + BATCH
    if first > #list then return nil end
    return table.move(list, first, math.min(first + BATCH - 1, #list), 1, {})
  end
end

local function row(job, item, status, more)
  local out = { connection = job.destination, key = item.key, status = status,
                version = item.version, remote_id = "", handle = {} }
  for name, value in pairs(more or {}) do out[name] = value end
  return out
end

local function by_key(items)
  local out = {}
  for _, item in ipairs(items) do out[item.key] = item end
  return out
end

-- What the job could not bring to an end in this run, by error class; the workflow's Retry brings
-- it back.
local function note(job, class, message, retry_after)
  local known = job.trouble[class]
  if not known or known.retry_after < (retry_after or 0) then
    job.trouble[class] = { class = class, message = message or "", retry_after = retry_after or 0 }
  end
end

local function note_unknown(job, retry_after)
  note(job, "Provider.Ambiguous", "it is not known whether some writes arrived", retry_after)
end

-- Classes that say: nothing was written, come back later.
local LATER = {
  ["Provider.Transient"] = true, ["Provider.RateLimited"] = true, ["Provider.Timeout"] = true,
  ["Provider.Unauthorized"] = true,
}

local GOOD = { created = true, exists = true, updated = true }

local function settle_one(job, item, result)
  if GOOD[result.status] then
    job.counts[result.status] = job.counts[result.status] + 1
    -- The run and what it did: a repeat of this run counts it so again, not as found unchanged.
    return row(job, item, "done", { remote_id = result.remote_id,
                                    handle = { job = job.execution, did = result.status } })
  end
  if result.status == "pending" then
    note(job, "Sync.Pending", "the destination is still at work", 1)
    return row(job, item, "pending", { handle = result.handle })
  end
  local e = result.error or {}
  if result.status == "not_attempted" or LATER[e.class] then
    note(job, e.class or "Provider.Transient", calls.clean(e).message, e.retry_after)
    -- It was only asked how far a write has come: that write is still on its way.
    if item.handle then return row(job, item, "pending", { handle = item.handle }) end
    return row(job, item, "failed")  -- Nothing was written: it is sent again.
  end
  if e.class == "Provider.Ambiguous" then
    note_unknown(job, job.settle_s)
    return row(job, item, "intent", { handle = { at = sw.clock() } })
  end
  job.counts.refused = job.counts.refused + 1
  sw.log.warn("the destination refused a record", { class = e.class, status = e.status })
  return row(job, item, "failed")
end

-- Sorts the results of push and push_status into the ledger and the counters.
local function settle(job, items, results)
  local items_by_key, rows = by_key(items), {}
  for _, result in ipairs(results) do
    rows[#rows + 1] = settle_one(job, items_by_key[result.key], result)
  end
  sw.ledger.write(rows)
end

local function count_done(job, entry)
  local handle = type(entry.handle) == "table" and entry.handle or {}
  local counter = handle.job == job.execution and handle.did or "unchanged"
  job.counts[counter] = job.counts[counter] + 1
end

-- An intent whose end is not known: may it be asked about yet?
local function is_settled(job, entry)
  local at = type(entry.handle) == "table" and entry.handle.at or 0
  local left = at + job.settle_s - sw.clock()
  if left > 0 then note_unknown(job, math.max(left, 0.05)) end
  return left <= 0
end

-- What is to be done with each item, by what the ledger knows of it.
local function triage(job, items)
  local keys, own = {}, {}
  for i, item in ipairs(items) do keys[i] = item.key end
  local known = sw.ledger.read(job.destination, keys)
  local fresh, send, ask, poll = {}, {}, {}, {}
  for _, item in ipairs(items) do
    local entry = known[item.key]
    if entry and entry.remote_id then own[entry.remote_id:match("[^/]+$")] = true end
    if not entry then
      fresh[#fresh + 1] = item
    elseif entry.status == "failed" then
      send[#send + 1] = item
    elseif entry.status == "pending" then
      poll[#poll + 1] = { key = item.key, version = item.version, handle = entry.handle }
    elseif entry.status ~= "done" then
      if is_settled(job, entry) then ask[#ask + 1] = item end
    elseif entry.version == item.version or not job.can_update then
      count_done(job, entry)
    else
      item.op, item.remote_id = "update", entry.remote_id
      send[#send + 1] = item
    end
  end
  return { fresh = fresh, send = send, ask = ask, poll = poll, own = own }
end

-- Asks whether the records with unknown outcome have arrived; those that have not are sent again.
local function look_up(job, batch, send)
  local answer = calls.read(job.destination_provider, "lookup",
                            { connection = job.destination, type = job.type, records = batch })
  local items, rows = by_key(batch), {}
  for _, result in ipairs(answer.results) do
    local item = items[result.key]
    if result.status == "found" then
      job.counts.created = job.counts.created + 1
      rows[#rows + 1] = row(job, item, "done", {
        remote_id = result.remote_id, handle = { job = job.execution, did = "created" } })
    elseif result.status == "absent" then
      send[#send + 1] = item
    elseif sw.err.is(result.error, "RateLimited") or sw.err.is(result.error, "Unauthorized") then
      note(job, result.error.class, calls.clean(result.error).message, result.error.retry_after)
    else
      note_unknown(job, result.error and result.error.retry_after or 0.5)  -- The intent stays.
    end
  end
  sw.ledger.write(rows)
end

local function send_batch(job, batch)
  local intents, at = {}, sw.clock()
  for i, item in ipairs(batch) do
    intents[i] = row(job, item, "intent", { handle = { at = at } })
  end
  sw.ledger.write(intents)
  local ok, answer = pcall(sw.call, job.destination_provider, "push",
                           { connection = job.destination, type = job.type, records = batch })
  if ok then return settle(job, batch, answer.results) end
  -- The whole call failed, somewhere in the middle: the intents stay, and are asked about later.
  if type(answer) ~= "table" then error(answer, 0) end
  sw.log.warn("a push failed as a whole", { class = answer.class })
  if not LATER[answer.class] and answer.class ~= "Provider.Ambiguous" then error(answer, 0) end
  note_unknown(job, job.settle_s)
end

-- Brings the items of a page to the destination.  What could not be finished is in job.trouble.
function M.push(job, items)
  local todo = triage(job, items)
  for batch in batches(todo.poll) do
    settle(job, batch, calls.read(job.destination_provider, "push_status",
                                  { connection = job.destination, items = batch }).results)
  end
  local send = todo.send
  for batch in batches(todo.ask) do look_up(job, batch, send) end
  local fresh, conflicts = resolve.fresh_only(job, todo.fresh, todo.own)
  job.counts.conflicts = job.counts.conflicts + conflicts
  for _, item in ipairs(fresh) do send[#send + 1] = item end
  for batch in batches(send) do
    if job.trouble["Provider.RateLimited"] or job.trouble["Provider.Unauthorized"] then return end
    send_batch(job, batch)
  end
end

-- Raises what the workflow should hear of: a person is needed, or the longest wait.
function M.raise(trouble)
  if trouble["Provider.Unauthorized"] then sw.err.raise(trouble["Provider.Unauthorized"]) end
  local worst
  for _, one in pairs(trouble) do
    local is_longer = worst and one.retry_after > worst.retry_after
    local is_first = worst and one.retry_after == worst.retry_after and one.class < worst.class
    if not worst or is_longer or is_first then worst = one end
  end
  if worst then sw.err.raise(worst) end
end

return M
