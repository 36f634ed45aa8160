# dpkg --compare-versions; a version that it warns of is none.
tab=$(printf '\t')
while IFS=$tab read -r a b; do
  if warning=$(dpkg --compare-versions "$a" lt "$b" 2>&1); then sign='<'
  elif dpkg --compare-versions "$a" eq "$b" 2>/dev/null; then sign='='
  else sign='>'; fi
  if [ -n "$warning" ]; then echo '?'; else echo "$sign"; fi
done
