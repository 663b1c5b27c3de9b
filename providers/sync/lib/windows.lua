-- Ranges of time, cut into chunks.  Half open, whole UTC days: [from, to).
local M = {}
local DAY = 86400

function M.days(from, to) return (to - from) / DAY end

-- First second of the month that `t` lies in.
local function month_start(t)
  return sw.time.parse(sw.time.date(t):sub(1, 7) .. "-01")
end

-- Cut at calendar months, newest first: what a user looks at first.
function M.months(from, to)
  local out = {}
  while to > from do
    local start = math.max(from, month_start(to - 1))
    out[#out + 1] = { from = start, to = to }
    to = start
  end
  return out
end

-- Cut into pieces of `days`, newest first.
function M.pieces(from, to, days)
  local out, step = {}, math.max(1, math.floor(days)) * DAY
  while to > from do
    local start = math.max(from, to - step)
    out[#out + 1] = { from = start, to = to }
    to = start
  end
  return out
end

-- A month becomes weeks, a week becomes days; nil: it cannot be cut further.
function M.split(from, to)
  local days = M.days(from, to)
  if days > 7 then return M.pieces(from, to, 7) end
  if days > 1 then return M.pieces(from, to, 1) end
  return nil
end

return M
