# Ruby gems out of Debian packages, without their package database. Needs apt-get and dpkg-deb.
for package in ruby-rack ruby-rails ruby-actionpack ruby-activerecord ruby-activesupport ruby-actionview ruby-activestorage ruby-nokogiri ruby-sinatra ruby-puma puma ruby-addressable \
  ruby-redcarpet ruby-loofah ruby-rails-html-sanitizer ruby-kramdown ruby-jwt ruby-omniauth ruby-sidekiq ruby-webrick ruby-rexml ruby-globalid ruby-tzinfo ruby-mechanize ruby-httparty ruby-git ruby-oauth ruby-rack-protection ruby-commonmarker; do
  apt-get download -qq "$package" || echo "no $package"
done
for file in *.deb; do dpkg-deb -x "$file" "$ROOTFS"; done
rm -rf "$ROOTFS/usr/share/doc" "$ROOTFS/usr/share/man" "$ROOTFS/etc" "$ROOTFS/lib"
# What is specified, by the names of the specifications, which RubyGems makes of name and version.
find "$ROOTFS" -path '*/specifications/*.gemspec' -printf '%f\n' | sed -E 's/^(.*)-([0-9][^-]*)\.gemspec$/gem\t\1\t\2/' | sort -u >"$EXPECTED"
