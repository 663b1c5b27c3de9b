-- Calls of providers, and what may be told of their failures.
local M = {}

local TRIES = 3

-- For calls that change nothing: a hiccup is tried again at once, unless the provider asked for
-- time.
function M.read(provider, fn, args)
  for try = 1, TRIES do
    local ok, result = pcall(sw.call, provider, fn, args)
    if ok then return result end
    local passes = sw.err.is(result, "Transient") and not result.retry_after
    if not passes or try == TRIES then error(result, 0) end
  end
end

-- Their messages are of the host's making, without a word of the answer.  Those of other classes
-- may quote a record, and what a task raises is stored.
local PLAIN = {
  ["Provider.RateLimited"] = true, ["Provider.Unauthorized"] = true, ["Provider.Transient"] = true,
  ["Provider.Timeout"] = true, ["Provider.TooLarge"] = true, ["Provider.Ambiguous"] = true,
  ["Sync.Pending"] = true, ["Sync.Refused"] = true, ["Provider.LimitExceeded"] = true,
}

-- The error without what could be of a record: digits of an id in a path, an answer's body.
function M.clean(e)
  if type(e) ~= "table" or type(e.class) ~= "string" then return e end
  local message = PLAIN[e.class] and tostring(e.message or ""):gsub("/[%w%-]*%d[%w%-]*", "/...")
    or "the details are in the server's log"
  return { class = e.class, message = message, retry_after = e.retry_after, status = e.status,
           reason = e.reason, bucket = e.bucket }
end

return M
