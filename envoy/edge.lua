-- What none of Envoy's filters does: limits on headers that end in a reason, gRPC calls that couldn't be answered, the
-- names in a JSON body for the services to check, HEAD, 304, and the media type of a stream. Runs once the request is whole; README.md says where.

local MOST_HEADERS, MOST_HEADER_BYTES = 100, 16 * 1024

-- The limit on a body's names is higher than any request of ours needs: tests/unit/envoy checks it against the protos.
local MOST_NAMES, LONGEST_NAME, DEEPEST = 64, 40, 8
-- A body with more names than that, or more names, values and brackets than these, many times what a request of ours
-- can have, is refused at once: the transcoder would block other requests.
local MOST_STEPS, MOST_LEVELS = 20000, 100

-- A key as a path's element: letters, digits and underscores as they are, "%" and two digits for any other byte.
local function element(key)
  if key:find("\\", 1, true) then  -- JSON may write any letter as \u00XX
    key = key:gsub("\\u00(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end)
  end
  return (key:sub(1, LONGEST_NAME):gsub("[^%w_]", function(byte) return ("%%%02X"):format(byte:byte()) end))
end

-- The paths of all names in a JSON text, each once, such as "upload,upload.size_bytes,items[0].name". It reads what the
-- transcoder's lenient parser reads: names in single quotes or in none, too. What isn't JSON, that parser refuses.
-- Instead nil and what is wrong, if it is too much.
local function names_in(json)
  local found, seen = {}, {}
  -- Of each open bracket: the path to it as it stands and without indices; for an array the index, else nil.
  local paths, keys, indices, depth = {""}, {""}, {}, 0
  local path, key = "", ""                -- of the value that comes next
  local at, text, quoted = 1, 1, nil      -- where to go on; where bare text began; the last string
  for _ = 1, MOST_STEPS do
    local stop, _, symbol = json:find("([%[%]{}:,\"'])", at)
    if not stop then return table.concat(found, ",") end
    at = stop + 1
    if symbol == '"' or symbol == "'" then
      local finish = stop
      repeat
        finish = json:find("[\\" .. symbol .. "]", finish + 1)
        local escape = finish and json:byte(finish) == 92
        if escape then finish = finish + 1 end
      until not escape
      if not finish then return table.concat(found, ",") end
      quoted, at = json:sub(stop + 1, finish - 1), finish + 1
    elseif symbol == ":" then
      local name = element(quoted or json:sub(text, stop - 1):match("^%s*(.-)%s*$"))
      path = paths[depth] == "" and name or (paths[depth] or "") .. "." .. name
      key = (keys[depth] or "") .. "." .. name
      if depth <= DEEPEST and not seen[key] then
        seen[key] = true
        found[#found + 1] = path
        if #found > MOST_NAMES then return nil, "The body has too many names." end
      end
      quoted, text = nil, at
    elseif symbol == "{" or symbol == "[" then
      local index = indices[depth]
      depth = depth + 1
      if depth > MOST_LEVELS then return nil, "The body is too deep." end
      if depth > DEEPEST then
        paths[depth], keys[depth] = "", ""  -- nothing is told of what lies so deep
      elseif index then
        paths[depth], keys[depth] = ("%s[%d]"):format(paths[depth - 1], index), keys[depth - 1]
      else
        paths[depth], keys[depth] = path, key
      end
      indices[depth] = symbol == "[" and 0 or nil
      quoted, text = nil, at
    elseif symbol == "," then
      if indices[depth] then indices[depth] = indices[depth] + 1 end
      quoted, text = nil, at
    else
      depth = math.max(depth - 1, 0)
      quoted, text = nil, at
    end
  end
  return nil, "The body has too many values."
end

-- The paths that older clients use. They send more than is read, and must not begin to fail over it.
local function is_older(path)
  return path:find("^/api/") or path:find("^/v1/scan$") or path:find("^/v1/scan/") or path == "/classify"
end

-- Those of them where no body is read: there they send anything, JSON or not.
local function reads_no_body(path)
  return path == "/api/v1/waste/analyze" or path:find("^/upload%-complete/")
    or path:find("^/api/v1/waste/upload%-complete/")
end

-- A watch is opened to be read: HEAD isn't served there.
local function is_watch(path)
  return path:find("^/v1/scans/[^/]+:watch$") or path:find("^/v1/jobs/[^/]+:watch$") or path:find("^/v1/scan/[^/]+/progress$")
end

-- What is wrong with a gRPC call that no service could answer with a reason, and its HTTP status; nil if nothing is.
local function fault_of_call(handle, path, came_as)
  -- HTTP/1.1 has no trailers here, in which gRPC says how a call ended. gRPC-Web does without.
  if handle:streamInfo():protocol() ~= "HTTP/2" and not came_as:find("^application/grpc%-web") then
    return "gRPC needs HTTP/2.", "400"
  end
  if path:find("?", 1, true) then return "No RPC has a query.", "404" end
  -- A stream isn't held until it is whole; its service reads what comes.
  if path:find("^/grpc%.reflection%.") then return end
  -- Five bytes tell a message's length. For one that doesn't come gRPC waits until the deadline.
  local body = handle:body()
  local length = body and body:length() or 0
  local bytes = length >= 5 and {body:getBytes(0, 5):byte(2, 5)} or {0, 0, 0, 1}
  local message = ((bytes[1] * 256 + bytes[2]) * 256 + bytes[3]) * 256 + bytes[4]
  if length < 5 + message then return "The body holds no whole message.", "400" end
end

function envoy_on_request(handle)
  local headers = handle:headers()
  local came_as = headers:get("eco2-came-as") or ""
  headers:remove("eco2-came-as")
  local count, bytes, strange = 0, 0, {}
  for name, value in pairs(headers) do
    count, bytes = count + 1, bytes + #name + #value
    if name:find("[^%w:._-]") then strange[#strange + 1] = name end
    if name:find("_", 1, true) then
      return handle:respond({[":status"] = "400"}, "A header's name has an underscore.")
    end
  end
  if count > MOST_HEADERS or bytes > MOST_HEADER_BYTES then
    return handle:respond({[":status"] = "431"}, "")
  end
  -- HTTP lets a name hold more characters than gRPC, which fails the call over one. No service reads such a header.
  for _, name in ipairs(strange) do headers:remove(name) end
  -- The language goes along with the question whether a call goes through (shared-limits). One that isn't ASCII is none,
  -- and a message with it couldn't be read: the call would go through uncounted.
  local language = headers:get("accept-language")
  if language and language:find("[^ -~]") then headers:remove("accept-language") end
  local kind, path = headers:get("content-type") or "", headers:get(":path")
  if kind:find("^application/grpc") then
    local fault, status = fault_of_call(handle, path, came_as)
    return fault and handle:respond({[":status"] = status}, fault)
  end
  path = path:match("^[^?]*")
  if is_watch(path) then
    handle:streamInfo():dynamicMetadata():set("eco2", "watch", true)
  elseif headers:get(":method") == "HEAD" then
    headers:replace(":method", "GET")
    handle:streamInfo():dynamicMetadata():set("eco2", "head", true)
  end
  local body = handle:body()
  local length = body and body:length() or 0
  if length > 0 and reads_no_body(path) then
    body:setBytes("")
  elseif length > 0 then
    local names, excess = names_in(body:getBytes(0, length))
    if excess then
      return handle:respond({[":status"] = "400"}, excess)
    end
    handle:streamInfo():dynamicMetadata():set("eco2", "names", (is_older(path) and "~" or "") .. names)
  end
end

-- Sees the response after the transcoder. What a client has already (GetTaxonomy, GetCalendar): the service says so in a header,
-- HTTP in its status. The headers come first: once the body is held they are sent. And the transcoder calls a stream of
-- lines JSON, which it isn't.
function envoy_on_response(handle)
  local headers = handle:headers()
  local noted = handle:streamInfo():dynamicMetadata():get("eco2") or {}
  if noted["head"] then
    for chunk in handle:bodyChunks() do chunk:setBytes("") end
    return
  end
  if noted["watch"] and headers:get(":status") == "200" and headers:get("content-type") == "application/json" then
    headers:replace("content-type", "application/x-ndjson")
  end
  local kind = headers:get("content-type") or ""
  if headers:get("eco2-not-modified") and (kind == "application/json" or kind:find("^text/calendar")) then
    headers:replace(":status", "304")
    headers:remove("eco2-not-modified")
    headers:remove("content-type")
    handle:body():setBytes("")
  end
end
