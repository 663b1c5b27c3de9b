#include "providers/host/plugin/prelude.h"

namespace stepwell::host {

// Called as chunk(natives, ctx, is_library); returns `sw`.  Runs once per call: it only defines.
const char* const kPrelude = R"lua(
local native, ctx, is_library = ...
local sw = {}
local error, type, pairs, ipairs, next, tostring = error, type, pairs, ipairs, next, tostring
local pcall, select, rawget = pcall, select, rawget
local setmetatable, getmetatable = setmetatable, getmetatable
local sort, concat, floor, format = table.sort, table.concat, math.floor, string.format

-- errors -------------------------------------------------------------------------------------
local error_kind = { __metatable = false }
function error_kind.__tostring(e) return tostring(e.class) .. ": " .. tostring(e.message) end
local function raise(e)
  if getmetatable(e) == nil then setmetatable(e, error_kind) end
  error(e, 0)
end
local function is_error(e) return type(e) == "table" and type(e.class) == "string" end

sw.err = setmetatable({}, { __index = function(_, name)
  return function(fields)
    local e = {}
    for k, v in pairs(type(fields) == "table" and fields or { message = fields }) do e[k] = v end
    e.class = "Provider." .. name
    e.message = e.message or name
    raise(e)
  end
end })
function sw.err.raise(e)
  if not is_error(e) then error("sw.err.raise needs a table with a class", 2) end
  local copy = {}
  for k, v in pairs(e) do copy[k] = v end
  raise(copy)
end
function sw.err.is(e, name)
  return is_error(e) and (e.class == name or e.class == "Provider." .. name)
end

local function ask(kind, body)
  local value, err = native.request(kind, body)
  if err then raise(err) end
  return value
end

-- What the value is, when it is not a list; nil when it is one.
local function no_list(value)
  if type(value) ~= "table" then return value == native.null and "null" or type(value) end
  if next(value) ~= nil and value[1] == nil then return "a map" end
end

-- json, time, crypto, units ------------------------------------------------------------------
sw.json = { null = native.null, encode = native.json_encode, array = native.mark }
function sw.json.decode(text)
  local ok, value = native.json_decode(text)
  if not ok then sw.err.BadData { message = value } end
  return value
end

local function instant(value, text, ...)
  if value == nil then sw.err.BadData { message = "not a time: " .. tostring(text) } end
  return value, ...
end
sw.time = { iso = native.time_iso, civil = native.time_civil, date = native.time_date,
            add = native.time_add }
function sw.time.parse(text)
  if type(text) ~= "string" then sw.err.BadData { message = "not a time: " .. tostring(text) } end
  local t, offset = native.time_parse(text)
  return instant(t, text, offset)
end
function sw.time.from_civil(text, offset)
  return (instant(native.time_from_civil(text, offset), text))
end
function sw.time.now() return ctx.now end
local function whole(x) local n = floor(x); return n == x and n or x end
function sw.time.duration(text)
  local plain = type(text) == "string" and text:match("^(-?%d+%.?%d*)s$")
  if plain then return whole(tonumber(plain)) end
  local sum, matched = 0, false
  local day, clock = (type(text) == "string" and text or ""):match("^P([^T]*)T?(.*)$")
  local sizes = { W = 604800, D = 86400, H = 3600, M = 60, S = 1 }
  if day then
    for n, unit in (day:gsub("M", "?") .. clock):gmatch("(%d+%.?%d*)([WDHMS?])") do
      if not sizes[unit] then matched = false; break end
      sum, matched = sum + tonumber(n) * sizes[unit], true
    end
  end
  if not matched then sw.err.BadData { message = "not a duration: " .. tostring(text) } end
  return whole(sum)
end

sw.crypto = { sha256 = native.sha256, hmac = native.hmac, base64 = native.base64,
              base64url = native.base64url, unbase64 = native.unbase64, hex = native.hex,
              unhex = native.unhex, equal = native.equal, uuid = native.uuid }
function sw.key(...)
  local parts = {}
  for i = 1, select("#", ...) do
    local part = select(i, ...)
    if type(part) ~= "string" and type(part) ~= "number" then
      error("sw.key: part " .. i .. " is a " .. type(part), 2)
    end
    parts[i] = (tostring(part):gsub("[\\|]", "\\%0"))
  end
  return native.sha256(concat(parts, "|")):sub(1, 32)
end
function sw.hash(value) return native.sha256(native.canonical(value)):sub(1, 32) end

local function scale(factor) return function(x) return x and x * factor end end
local function unscale(factor) return function(x) return x and x / factor end end
sw.units = {
  lb_kg = scale(0.45359237), kg_lb = unscale(0.45359237), mi_m = scale(1609.344),
  m_mi = unscale(1609.344), ft_m = scale(0.3048), m_ft = unscale(0.3048),
  kj_kcal = unscale(4.184), kcal_kj = scale(4.184),
  g_kg = unscale(1000), kg_g = scale(1000), mm_m = unscale(1000), m_mm = scale(1000),
  min_s = scale(60), ms_s = unscale(1000),
}

local maps = {}
function sw.map_file(name)
  if not maps[name] then maps[name] = sw.json.decode(native.map_text(name)) end
  return maps[name]
end

sw.log = {}
for _, level in ipairs { "debug", "info", "warn" } do
  sw.log[level] = function(text, fields) native.log(level, tostring(text), fields) end
end
function sw.metric(name, n, tags)
  native.log("metric", tostring(name), { n = n or 1, tags = tags })
end

-- loops and pages ----------------------------------------------------------------------------
local function key_of(item)
  if type(item) == "table" then return item.key or item.id end
  return item
end
local stops = { ["Provider.RateLimited"] = true, ["Provider.Unauthorized"] = true }
function sw.each(items, fn)
  local instead = no_list(items)
  if instead then error("sw.each needs a list, not " .. instead, 2) end
  local results, stopped = native.mark {}, nil
  for i, item in ipairs(items) do
    local result
    if stopped then
      result = { status = "not_attempted", error = stopped }
    else
      local ok, value = pcall(fn, item, i)
      if ok then
        result = type(value) == "table" and value or { status = "failed",
          error = { class = "Provider.BadData", message = "the function returned no result" } }
      elseif not is_error(value) then
        error(value, 0)
      elseif stops[value.class] then
        stopped = value
        result = { status = "not_attempted", error = value }
      elseif value.class == "Provider.Duplicate" then
        result = { status = "exists", remote_id = value.remote_id }
      else
        result = { status = "failed", error = value }
      end
    end
    result.key = result.key or key_of(item)
    results[i] = result
  end
  return results
end

-- A vendor that answers something else than a list has changed: that is not an empty page.
function sw.map(list, fn)
  local instead = no_list(list)
  if instead then
    sw.err.BadData { message = native.where(1) .. "sw.map needs a list, not " .. instead }
  end
  local out = native.mark {}
  for i, item in ipairs(list) do
    local ok, value = pcall(fn, item, i)
    if ok then
      out[i] = value
    elseif is_error(value) and value.class == "Provider.BadData" then
      local id = type(item) == "table" and (item.id or item.name)
      out[i] = { bad = { id = id and tostring(id) or nil, message = value.message } }
    else
      error(value, 0)
    end
  end
  return out
end

sw.page = {}
local function cursor(q) return type(q.cursor) == "table" and q.cursor or {} end
function sw.page.current(q) return cursor(q).page or 1 end
function sw.page.number(q, count, per_page)
  if count >= per_page then return { page = sw.page.current(q) + 1 } end
end
function sw.page.offset(q, count, per_page)
  if count >= per_page then return { offset = (cursor(q).offset or 0) + count } end
end
function sw.page.token(t) if t and t ~= "" and t ~= sw.json.null then return { token = t } end end
function sw.page.link(res)
  for url, rest in (res.headers["link"] or ""):gmatch("<([^>]*)>([^,]*)") do
    if rest:match('rel="?next"?') then return { url = url } end
  end
end

-- tcx ----------------------------------------------------------------------------------------
local entities = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }
local function xml(text)
  return (tostring(text):gsub('[&<>"]', entities))
end
local tcx_sports = {
  running = "Running", trail_running = "Running", treadmill_running = "Running",
  cycling = "Biking", mountain_biking = "Biking", indoor_cycling = "Biking", e_biking = "Biking" }
sw.tcx = {}
function sw.tcx.build(record)
  local data = record.data or {}
  local start = record.time.start
  local out = {}
  local function add(...) out[#out + 1] = format(...) end
  local function number(name, x, pattern)
    if x then add("<%s>" .. (pattern or "%.1f") .. "</%s>", name, x, name) end
  end
  add('<?xml version="1.0" encoding="UTF-8"?>')
  add('<TrainingCenterDatabase xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2">')
  add('<Activities><Activity Sport="%s"><Id>%s</Id><Lap StartTime="%s">',
      tcx_sports[data.sport] or "Other", xml(start), xml(start))
  number("TotalTimeSeconds", data.moving_s or data.elapsed_s)
  number("DistanceMeters", data.distance_m)
  number("Calories", data.energy_active_kcal or data.energy_total_kcal or 0, "%.0f")
  local function rate(name, x)
    if x then add("<%s><Value>%.0f</Value></%s>", name, x, name) end
  end
  rate("AverageHeartRateBpm", data.hr_avg_bpm)
  rate("MaximumHeartRateBpm", data.hr_max_bpm)
  add("<Intensity>Active</Intensity><TriggerMethod>Manual</TriggerMethod><Track>")
  local t0 = sw.time.parse(start)
  local function point(t, distance)
    add("<Trackpoint><Time>%s</Time>", sw.time.iso(t))
    number("DistanceMeters", distance)
    add("</Trackpoint>")
  end
  point(t0, data.distance_m and 0)
  point(t0 + (data.elapsed_s or 0), data.distance_m)
  add("</Track></Lap>")
  if data.notes or data.title then add("<Notes>%s</Notes>", xml(data.notes or data.title)) end
  add("</Activity></Activities></TrainingCenterDatabase>")
  return concat(out, "\n")
end

-- http ---------------------------------------------------------------------------------------
local function escape(text)
  return (tostring(text):gsub("[^%w%-%._~]", function(c) return format("%%%02X", c:byte()) end))
end
local function pairs_text(fields)
  local keys, parts = {}, {}
  for k in pairs(fields) do keys[#keys + 1] = tostring(k) end
  sort(keys)
  for _, k in ipairs(keys) do
    local v = fields[k]
    local values = type(v) == "table" and v or { v }
    for _, one in ipairs(values) do parts[#parts + 1] = escape(k) .. "=" .. escape(one) end
  end
  return concat(parts, "&")
end
local function multipart_text(parts)
  local boundary = "stepwell-" .. sw.key(ctx.key or "", #parts):sub(1, 20)
  local out = {}
  for _, part in ipairs(parts) do
    local disposition = "Content-Disposition: form-data; name=\"" .. xml(part.name) .. "\""
    out[#out + 1] = "--" .. boundary .. "\r\n" .. disposition
    if part.filename then
      out[#out] = out[#out] .. "; filename=\"" .. xml(part.filename) .. "\"\r\nContent-Type: "
        .. (part.type or "application/octet-stream")
    end
    out[#out] = out[#out] .. "\r\n\r\n" .. tostring(part.bytes or part.value or "") .. "\r\n"
  end
  out[#out + 1] = "--" .. boundary .. "--\r\n"
  return concat(out), "multipart/form-data; boundary=" .. boundary
end

local known_options = { query = true, json = true, form = true, multipart = true, body = true,
  headers = true, accept = true, auth = true, idempotent = true, timeout = true, raw = true }
local repeatable = { GET = true, HEAD = true, PUT = true, DELETE = true }

local function request_of(method, path, o)
  if type(path) ~= "string" then error("sw.http: the path is a " .. type(path), 3) end
  for k in pairs(o) do
    if not known_options[k] then error("sw.http: there is no option " .. tostring(k), 3) end
  end
  local request = { method = method, path = path, headers = {}, auth = o.auth or "user",
                    timeout = o.timeout, accept = o.accept,
                    repeatable = repeatable[method] or false }
  if o.idempotent ~= nil then request.repeatable = o.idempotent end
  if o.query and next(o.query) ~= nil then request.query = pairs_text(o.query) end
  local body, content
  if o.json ~= nil then body, content = native.json_encode(o.json), "application/json"
  elseif o.form then body, content = pairs_text(o.form), "application/x-www-form-urlencoded"
  elseif o.multipart then body, content = multipart_text(o.multipart)
  elseif o.body then body = o.body end
  if content then request.headers["content-type"] = content end
  for k, v in pairs(o.headers or {}) do request.headers[tostring(k):lower()] = tostring(v) end
  if body and native.is_text(body) then request.body = body
  elseif body then request.body_b64 = native.base64(body) end
  return request
end

local function accepts(o, status)
  for _, s in ipairs(o.accept or {}) do
    if s == status then return true end
  end
  return false
end

-- Makes the response table, or returns nil and the error.
local function response_of(answer, o, request)
  local res = { status = answer.status, headers = answer.headers or {},
                body = answer.body or (answer.body_b64 and native.unbase64(answer.body_b64)) or "" }
  local is_json = not o.raw and (res.headers["content-type"] or ""):find("json", 1, true)
  local broken
  if is_json and #res.body > 0 then
    local ok, value = native.json_decode(res.body)
    if ok then res.json = value else broken = value end
  end
  local provider = native.provider()
  if provider and rawget(provider, "classify") then
    local e = provider.classify(res, { method = request.method, path = request.path })
    if e then return nil, e end
  end
  if answer.error and not accepts(o, res.status) then
    if not answer.error.body then answer.error.body = res.body:sub(1, 500) end
    return nil, answer.error
  end
  if broken and not accepts(o, res.status) then
    return nil, { class = request.repeatable and "Provider.Transient" or "Provider.Ambiguous",
                  message = request.method .. " " .. request.path .. ": " .. broken,
                  status = res.status }
  end
  return res
end

if not is_library then
  sw.http = {}
  for _, method in ipairs { "GET", "POST", "PUT", "PATCH", "DELETE" } do
    sw.http[method:lower()] = function(path, o)
      o = o or {}
      local request = request_of(method, path, o)
      local res, e = response_of(ask("http", request), o, request)
      if e then raise(e) end
      return res
    end
  end
  function sw.http.all(list)
    local instead = no_list(list)
    if instead then error("sw.http.all needs a list, not " .. instead, 2) end
    local requests = {}
    local function options_of(one) return one.options or one.o or {} end
    for i, one in ipairs(list) do
      requests[i] = request_of(one.method or "GET", one.path, options_of(one))
    end
    local out = native.request_all("http", requests)
    for i, a in ipairs(out) do
      local res, e
      if a.error then e = a.error
      else res, e = response_of(a.value, options_of(list[i]), requests[i]) end
      out[i] = e and { ok = false, error = e } or { ok = true, res = res }
    end
    return out
  end
end

-- libraries ----------------------------------------------------------------------------------
if is_library then
  local function call_of(provider, fn, args)
    return { provider = provider, ["function"] = fn, args = args or {} }
  end
  function sw.call(provider, fn, args) return ask("call", call_of(provider, fn, args)) end
  function sw.call_all(list)
    local instead = no_list(list)
    if instead then error("sw.call_all needs a list, not " .. instead, 2) end
    local calls = {}
    for i, c in ipairs(list) do
      calls[i] = call_of(c.provider or c[1], c.fn or c[2], c.args or c[3])
    end
    local out = native.request_all("call", calls)
    for i, a in ipairs(out) do
      if a.error then setmetatable(a.error, error_kind) end
      out[i] = a.error and { ok = false, error = a.error } or { ok = true, result = a.value }
    end
    return out
  end
  function sw.provider(id) return ask("provider", { id = id }) end
  function sw.connection(id) return ask("connection", { id = id }) end
  function sw.clock() return ask("clock", {}) end
  function sw.notify(record) ask("notify", record) end
  sw.ledger = {}
  function sw.ledger.read(connection, keys)
    if #keys == 0 then return {} end
    return ask("ledger_read", { connection = connection, keys = keys })
  end
  function sw.ledger.write(rows)
    if #rows > 0 then ask("ledger_write", { rows = rows }) end
  end
  function sw.ledger.chunk(row)
    local copy = {}
    for k, v in pairs(row) do copy[k] = v end
    copy.job = copy.job or ctx.execution
    ask("ledger_chunk", copy)
  end
  function sw.ledger.chunks(job) return ask("ledger_chunks", { job = job or ctx.execution }) end
end

return sw
)lua";

}  // namespace stepwell::host
