-- rpm.ver of rpm's own Lua: parsed and compared by rpmverParse and rpmverCmp.
for line in io.lines() do
  local tab = string.find(line, "\t", 1, true)
  local a, b = rpm.ver(string.sub(line, 1, tab - 1)), rpm.ver(string.sub(line, tab + 1))
  if not a or not b then io.write("?\n")
  elseif a < b then io.write("<\n")
  elseif a == b then io.write("=\n")
  else io.write(">\n") end
end
