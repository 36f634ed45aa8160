# utils::compareVersion of R; what package_version takes is a version.
pairs <- strsplit(readLines(file("stdin")), "\t", fixed = TRUE)
order <- function(pair) {
  if (anyNA(numeric_version(pair, strict = FALSE))) return("?")
  tryCatch(c("<", "=", ">")[compareVersion(pair[1], pair[2]) + 2], warning = function(w) "?", error = function(e) "?")
}
writeLines(vapply(pairs, order, ""))
