module breakwater.invalid/bench/regbench

go 1.26.0
