-- Google Health as a destination of workouts ("exercise" data points).
local M = {}
local EXERCISE = sw.map_file "exercise"  -- canonical word -> vendor's
local POINTS = "/users/me/dataTypes/exercise/dataPoints"

-- The resource name of a point; ours carry our key, for servers that honour it.
local function name_of(id) return POINTS:sub(2) .. "/" .. id end

-- The vendor's local time without a zone.
local function civil(record, instant)
  return sw.time.civil(instant, record.time.start_offset_s or 0)
end

-- Whole numbers of a larger or smaller unit; nothing of nothing.
local function scaled(number, factor) return number and math.floor(number * factor + 0.5) end
local function text_of(number) return number and tostring(number) end

function M.from_canonical(record)
  local data, time = record.data, record.time
  local lost = {}
  for _, field in ipairs { "notes", "hr_max_bpm", "speed_max_mps", "power_avg_w", "laps" } do
    if data[field] ~= nil then lost[#lost + 1] = field end
  end
  return {
    exercise = {
      interval = {
        startTime = time.start,
        startUtcOffset = string.format("%ds", time.start_offset_s or 0),
        endTime = time["end"],
        endUtcOffset = string.format("%ds", time.end_offset_s or time.start_offset_s or 0),
      },
      exerciseType = EXERCISE[data.sport] or "OTHER",
      displayName = data.title,
      activeDuration = string.format("%ds", scaled(data.moving_s or data.elapsed_s, 1)),
      metricsSummary = {
        distanceMillimeters = scaled(data.distance_m, 1000),
        elevationGainMillimeters = scaled(data.elevation_gain_m, 1000),
        averageSpeedMillimetersPerSecond = scaled(data.speed_avg_mps, 1000),
        averageHeartRateBeatsPerMinute = text_of(scaled(data.hr_avg_bpm, 1)),
        caloriesKcal = data.energy_total_kcal or data.energy_active_kcal,
      },
    },
  }, lost
end

-- An operation of the vendor's -> what became of the record.
local function outcome(operation, key, lost)
  if operation.error then
    if operation.error.code == 6 then  -- ALREADY_EXISTS, which names of our making make possible.
      return { status = "exists", remote_id = name_of(key) }
    end
    sw.err.BadRequest { message = operation.error.message or "the operation failed" }
  end
  if not operation.done then
    return { status = "pending", handle = { operation = operation.name } }
  end
  return { status = "created", remote_id = operation.response.name, lost = lost }
end

function M.push(ctx, q)
  local timeout = ctx.settings.timeout_s
  return {
    results = sw.each(q.records, function(item)
      local body, lost = M.from_canonical(item.record)
      if item.op == "update" then
        local id = item.remote_id:match("[^/]+$")
        local answer = sw.http.patch(POINTS .. "/" .. id,
                                     { json = body, idempotent = true, timeout = timeout })
        local result = outcome(answer.json, item.key, lost)
        if result.status == "created" then result.status = "updated" end
        return result
      end
      body.name = name_of(item.key)
      local answer = sw.http.post(POINTS, { json = body, accept = { 409 }, timeout = timeout })
      if answer.status == 409 then return { status = "exists", remote_id = body.name } end
      return outcome(answer.json, item.key, lost)
    end),
  }
end

function M.push_status(ctx, q)
  return {
    results = sw.each(q.items, function(item)
      return outcome(sw.http.get("/" .. item.handle.operation).json, item.key)
    end),
  }
end

-- Every page of one listing.
local function list(filter)
  local points, token = {}, nil
  repeat
    local answer = sw.http.get(POINTS, { query = { filter = filter, pageToken = token } }).json
    for _, point in ipairs(answer.dataPoints or {}) do points[#points + 1] = point end
    token = answer.nextPageToken
  until not token
  return points
end

-- Did an earlier attempt of ours land?  Ours is what has the same start, end and type.
function M.lookup(ctx, q)
  return {
    results = sw.each(q.records, function(item)
      local start = sw.time.parse(item.record.time.start)
      local filter = string.format(
        'exercise.interval.civil_start_time >= "%s" AND exercise.interval.civil_start_time < "%s"',
        civil(item.record, start), civil(item.record, start + 1))
      local wanted = M.from_canonical(item.record).exercise
      for _, point in ipairs(list(filter)) do
        local found = point.exercise
        if found.interval.startTime == wanted.interval.startTime
            and found.interval.endTime == wanted.interval.endTime
            and found.exerciseType == wanted.exerciseType then
          return { status = "found", remote_id = point.name }
        end
      end
      return { status = "absent" }
    end),
  }
end

local SPORT = {}
for word, vendor in pairs(EXERCISE) do SPORT[vendor] = word end

function M.to_canonical(point)
  local exercise = point.exercise
  if not exercise or not exercise.interval then
    sw.err.BadData { message = "a data point without an interval" }
  end
  local summary = exercise.metricsSummary or {}
  local start = sw.time.parse(exercise.interval.startTime)
  local finish = sw.time.parse(exercise.interval.endTime)
  return {
    type = "workout",
    source = { id = point.name:match("[^/]+$"), origin = "device" },
    time = {
      start = sw.time.iso(start), ["end"] = sw.time.iso(finish),
      start_offset_s = sw.time.duration(exercise.interval.startUtcOffset or "0s"),
    },
    complete = true,
    data = {
      sport = SPORT[exercise.exerciseType] or "other",
      title = exercise.displayName,
      elapsed_s = finish - start,
      moving_s = exercise.activeDuration and sw.time.duration(exercise.activeDuration) or nil,
      distance_m = sw.units.mm_m(tonumber(summary.distanceMillimeters)),
      elevation_gain_m = sw.units.mm_m(tonumber(summary.elevationGainMillimeters)),
      hr_avg_bpm = tonumber(summary.averageHeartRateBeatsPerMinute),
      energy_total_kcal = summary.caloriesKcal,
    },
    raw = { sport = exercise.exerciseType },
  }
end

function M.identify(ctx)
  local answer = sw.http.get("/users/me/identity").json
  return { account = answer.healthUserId }
end

-- Trackers tell when they last synced; what was typed in by hand is not seen, so without a tracker
-- the answer is "maybe".
function M.has_new_data(ctx, q)
  local devices = sw.http.get("/users/me/pairedDevices").json.pairedDevices or {}
  local last
  for _, device in ipairs(devices) do
    local at = device.lastSyncTime
    if at and (not last or at > last) then last = at end
  end
  return { changed = last == nil or q.token ~= last, token = last }
end

-- The filter knows local time only: a day wider on either side; the engine drops what is outside.
function M.fetch(ctx, q)
  local from, to = sw.time.parse(q.window.from), sw.time.parse(q.window.to)
  local filter = string.format(
    'exercise.interval.civil_start_time >= "%s" AND exercise.interval.civil_start_time < "%s"',
    sw.time.civil(from, -86400), sw.time.civil(to, 86400))
  local token = q.cursor and q.cursor.token
  local query = { filter = filter, pageToken = token, pageSize = 25 }
  local answer = sw.http.get(POINTS, { query = query, timeout = ctx.settings.timeout_s }).json
  return { items = sw.map(answer.dataPoints or {}, M.to_canonical),
           next = sw.page.token(answer.nextPageToken) }
end

return M
