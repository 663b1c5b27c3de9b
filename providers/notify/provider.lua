-- {template, user, locale, values} -> one record to the sink, in the user's language.
local M = {}

local LANGUAGES = {}
for _, language in ipairs { "de", "en", "es", "fr" } do
  LANGUAGES[language] = sw.map_file(language)
end

-- "de-AT" -> "de"; a language without texts of its own reads English.
local function texts(locale)
  return LANGUAGES[(locale or "en"):sub(1, 2)] or LANGUAGES.en
end

function M.send(ctx, q)
  local template = texts(q.locale)[q.template]
  if not template then
    sw.err.raise { class = "Notify.UnknownTemplate",
                   message = "there is no text " .. tostring(q.template) }
  end
  local function fill(text)
    return (text:gsub("{(%w+)}", function(name)
      local value = (q.values or {})[name]
      value = math.tointeger(value) or value
      return tostring(value == nil and "?" or value)
    end))
  end
  sw.notify { template = q.template, user = q.user,
              title = fill(template.title), body = fill(template.body) }
  return { template = q.template }
end

return M
