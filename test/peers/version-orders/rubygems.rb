# Gem::Version of the Ruby at hand.
$stdin.each_line(chomp: true) do |line|
  a, b = line.split("\t", -1)
  puts(Gem::Version.correct?(a) && Gem::Version.correct?(b) ? '<=>'[(Gem::Version.new(a) <=> Gem::Version.new(b)) + 1] : '?')
end
