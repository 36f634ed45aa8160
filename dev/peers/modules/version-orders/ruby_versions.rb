# Orders pairs of versions as Gem::Version of the RubyGems beside this file does, not the one of the Ruby at hand.
$VERBOSE = nil
load File.join(__dir__, 'ruby-versions.lib', 'rubygems', 'version.rb')
$stdin.each_line(chomp: true) do |line|
  a, b = line.split("\t", -1)
  known = Gem::Version.correct?(a) && Gem::Version.correct?(b) && a != '' && b != ''
  puts(known ? '<=>'[(Gem::Version.new(a) <=> Gem::Version.new(b)) + 1] : '?')
end
