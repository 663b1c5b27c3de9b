-- Writing records to a destination so that each arrives once, whatever happens on the way.
--
-- The ledger has a row per key: `intent` (written before the call), then `done`, `pending` or
-- `failed`.  An intent without an end is an outcome that nobody knows: it is looked up at the
-- destination, but only after the destination has had time to settle.
local M = {}

local function row(job, item, status, more)
  local out = { connection = job.destination, key = item.key, status = status, version = item.version,
                remote_id = "", handle = {} }
  for name, value in pairs(more or {}) do out[name] = value end
  return out
end

-- What the job could not bring to an end in this run, by error class; the workflow's Retry brings
-- it back.
function M.new_trouble() return {} end

local function note(trouble, error)
  local class = error and error.class or "Provider.Transient"
  local known = trouble[class]
  local after = error and error.retry_after or 0
  if not known or (known.retry_after or 0) < after then
    trouble[class] = { class = class, message = error and error.message or "", retry_after = after }
  end
end

-- Classes after which the same record may be sent again later, sure that nothing was written.
local AGAIN = {
  ["Provider.Transient"] = true, ["Provider.RateLimited"] = true, ["Provider.Timeout"] = true,
  ["Provider.Unauthorized"] = true,
}

-- Sorts the results of push and push_status into the ledger and the counters.
local function settle(job, items, results, counts, trouble, now)
  local rows, by_key = {}, {}
  for _, item in ipairs(items) do by_key[item.key] = item end
  for _, result in ipairs(results) do
    local item = by_key[result.key]
    if result.status == "created" or result.status == "exists" or result.status == "updated" then
      counts[result.status] = (counts[result.status] or 0) + 1
      rows[#rows + 1] = row(job, item, "done", { remote_id = result.remote_id })
    elseif result.status == "pending" then
      rows[#rows + 1] = row(job, item, "pending", { handle = result.handle })
      note(trouble, { class = "Sync.Pending", message = "the destination is still at it", retry_after = 1 })
    elseif result.status == "not_attempted" or (result.error and AGAIN[result.error.class]) then
      rows[#rows + 1] = row(job, item, "failed")  -- Nothing was written: to be sent again.
      note(trouble, result.error)
    elseif result.error and result.error.class == "Provider.Ambiguous" then
      rows[#rows + 1] = row(job, item, "intent", { handle = { at = sw.clock() } })
      note(trouble, { class = "Provider.Ambiguous", message = result.error.message, retry_after = job.settle_s })
    else
      counts.failed = counts.failed + 1
      rows[#rows + 1] = row(job, item, "failed")
    end
  end
  if #rows > 0 then sw.ledger.write(rows) end
end

-- Which of the items have to be sent: all but those that are done, under way, or found.
local function triage(job, items, counts, trouble, now)
  local keys = {}
  for i, item in ipairs(items) do keys[i] = item.key end
  local known = sw.ledger.read(job.destination, keys)
  local send, ask, poll = {}, {}, {}
  for _, item in ipairs(items) do
    local entry = known[item.key]
    if not entry or entry.status == "failed" then
      send[#send + 1] = item
    elseif entry.status == "done" and entry.version == item.version then
      counts.unchanged = counts.unchanged + 1
    elseif entry.status == "done" then
      item.op, item.remote_id = "update", entry.remote_id
      send[#send + 1] = item
    elseif entry.status == "pending" then
      poll[#poll + 1] = { key = item.key, version = item.version, handle = entry.handle }
    else
      local age = now - (entry.handle and entry.handle.at or 0)
      if age < job.settle_s then
        note(trouble, { class = "Provider.Ambiguous", retry_after = job.settle_s - age,
                        message = "an earlier write may still be landing" })
      else
        ask[#ask + 1] = item
      end
    end
  end
  return send, ask, poll
end

local function look_up(job, ask, send, counts, trouble, now)
  if #ask == 0 then return end
  local answer = sw.call(job.destination_provider, "lookup",
                         { connection = job.destination, type = job.type, records = ask })
  local by_key, rows = {}, {}
  for _, item in ipairs(ask) do by_key[item.key] = item end
  for _, result in ipairs(answer.results) do
    local item = by_key[result.key]
    if result.status == "found" then
      counts.exists = counts.exists + 1
      rows[#rows + 1] = row(job, item, "done", { remote_id = result.remote_id })
    elseif result.status == "absent" then
      send[#send + 1] = item
    else
      note(trouble, result.error)  -- Still unknown: the intent stays.
    end
  end
  if #rows > 0 then sw.ledger.write(rows) end
end

-- Brings the items to the destination.  What could not be finished is in `trouble`.
function M.push(job, items, counts, trouble, now)
  local send, ask, poll = triage(job, items, counts, trouble, now)
  look_up(job, ask, send, counts, trouble, now)
  if #poll > 0 then
    local answer = sw.call(job.destination_provider, "push_status",
                           { connection = job.destination, items = poll })
    settle(job, poll, answer.results, counts, trouble, now)
  end
  for first = 1, #send, 20 do
    local batch, intents, at = {}, {}, sw.clock()  -- The call may have begun long ago.
    for i = first, math.min(first + 19, #send) do
      batch[#batch + 1] = send[i]
      intents[#intents + 1] = row(job, send[i], "intent", { handle = { at = at } })
    end
    sw.ledger.write(intents)
    local answer = sw.call(job.destination_provider, "push",
                           { connection = job.destination, type = job.type, records = batch })
    settle(job, batch, answer.results, counts, trouble, now)
  end
end

-- Raises the trouble that the workflow should wait longest for; nothing when all went well.
function M.raise(trouble)
  local worst
  for _, one in pairs(trouble) do
    local longer = worst and one.retry_after > worst.retry_after
    local same = worst and one.retry_after == worst.retry_after and one.class < worst.class
    if not worst or longer or same then worst = one end
  end
  if worst then sw.err.raise(worst) end
end

return M
