-- Strava as a source of workouts.
local M = {}
local SPORT = sw.map_file "sport"  -- {"Run": "running", ...}

-- Strava writes 0 where it does not know; absent is not zero.
local function known(number) return number ~= 0 and number or nil end

function M.to_canonical(activity)
  if not activity.id or not activity.start_date or not activity.elapsed_time then
    sw.err.BadData { message = "an activity without id, start_date or elapsed_time" }
  end
  local start = sw.time.parse(activity.start_date)
  return {
    type = "workout",
    source = {
      id = tostring(activity.id),
      external_id = activity.external_id,
      origin = activity.manual and "manual" or "device",
    },
    time = {
      start = sw.time.iso(start),
      ["end"] = sw.time.iso(start + activity.elapsed_time),
      start_offset_s = activity.utc_offset,
      end_offset_s = activity.utc_offset,
    },
    complete = activity.resource_state == 3,
    data = {
      sport = SPORT[activity.sport_type] or "other",
      title = activity.name,
      elapsed_s = activity.elapsed_time,
      moving_s = activity.moving_time,
      distance_m = known(activity.distance),
      elevation_gain_m = known(activity.total_elevation_gain),
      hr_avg_bpm = activity.average_heartrate,
      hr_max_bpm = activity.max_heartrate,
      speed_avg_mps = known(activity.average_speed),
      speed_max_mps = known(activity.max_speed),
      power_avg_w = activity.average_watts,
      energy_total_kcal = known(activity.calories),  -- It does not say whether resting is in it.
    },
    raw = { sport = activity.sport_type },
  }
end

-- `after` and `before` leave their own second out.
function M.fetch(ctx, q)
  if q.type ~= "workout" then
    sw.err.Unsupported { message = "Strava has no " .. tostring(q.type) }
  end
  local size = math.min(q.limit or 200, 200)
  local answer = sw.http.get("/athlete/activities", {
    query = {
      page = sw.page.current(q),
      per_page = size,
      after = sw.time.parse(q.window.from) - 1,
      before = sw.time.parse(q.window.to),
    },
    timeout = ctx.settings.timeout_s,
  })
  return {
    items = sw.map(answer.json, M.to_canonical),
    next = sw.page.number(q, #answer.json, size),
  }
end

function M.fetch_payloads(ctx, q)
  return {
    results = sw.each(q.ids, function(id)
      local answer = sw.http.get("/activities/" .. id,
                                 { accept = { 404 }, timeout = ctx.settings.timeout_s })
      if answer.status == 404 then return { status = "missing" } end
      return { status = "ok", record = M.to_canonical(answer.json) }
    end),
  }
end

return M
