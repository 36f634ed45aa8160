# AlmaLinux 9 with the packages of a real Rocky Linux 9 system, as stubs that rpm built and installed. Needs rpm, rpmbuild and the test data.
bash "$(dirname "$RECIPE")/lib/alma-system" rockylinux-9 9.2 "Turquoise Kodkod"
