-- Ranges of time, cut into chunks.  Half open, [from, to); the cuts are at midnight UTC, since some
-- sources only know days.
local M = {}
local DAY = 86400

function M.days(from, to) return (to - from) / DAY end

-- The midnight before `t`, or `t` when it is one.
local function midnight(t) return t - t % DAY end

-- First second of the month that `t` lies in.
local function month_start(t)
  return sw.time.parse(sw.time.date(t):sub(1, 7) .. "-01")
end

-- Newest first: what a user looks at first.
local function cut(from, to, start_of)
  local out = {}
  while to > from do
    local start = math.max(from, start_of(to))
    out[#out + 1] = { from = start, to = to }
    to = start
  end
  return out
end

-- Cut at calendar months.
function M.months(from, to)
  return cut(from, to, function(before) return month_start(before - 1) end)
end

-- Cut into pieces of `days`.
function M.pieces(from, to, days)
  local step = math.max(1, math.floor(days)) * DAY
  return cut(from, to, function(before) return midnight(before - 1) + DAY - step end)
end

-- More than a month becomes months, a month weeks, a week days; nil: it cannot be cut further.
function M.split(from, to)
  local days = M.days(from, to)
  if days > 31 then return M.months(from, to) end
  if days > 7 then return M.pieces(from, to, 7) end
  if days > 1 then return M.pieces(from, to, 1) end
  return nil
end

return M
