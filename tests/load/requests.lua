-- What wrk sends: challenges (of an app, or of none), or sessions with a fresh solution each. Arguments: the app's id, a file of solutions or
-- "-", and the pause of a connection between two requests in milliseconds.
function init(args)
  local app, file = args[1], args[2]
  pause = tonumber(args[3])
  local host = "Host: " .. wrk.host .. "\r\n"
  if file == "-" then
    local path = app == "-" and "/run/auth/pow/challenge" or "/run/auth/challenge?appId=" .. app
    challenge = "GET " .. path .. " HTTP/1.1\r\nOrigin: https://docs.example.com\r\n" .. host .. "\r\n"
    return
  end
  head = "POST /run/auth/apps/" .. app .. "/anonymous-session HTTP/1.1\r\n" .. host
    .. "Origin: https://docs.example.com\r\nContent-Length: 0\r\nX-Inkeep-Challenge-Solution: "
  solutions, at = {}, 0
  for line in io.lines(file) do
    solutions[#solutions + 1] = line
  end
end

function request()
  if challenge then
    return challenge
  end
  at = at + 1
  return head .. (solutions[at] or "used up") .. "\r\n\r\n"
end

function delay()
  return pause
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"seconds":%.3f,"refused":%d,"failed":%d,"p50Ms":%.3f,"p99Ms":%.3f}\n',
    summary.requests, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000
  ))
end
