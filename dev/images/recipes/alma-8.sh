# AlmaLinux 8 with the packages of a real CentOS 8 system, as stubs that rpm built and installed. Needs rpm, rpmbuild and the test data.
bash "$(dirname "$RECIPE")/lib/alma-system" centos8-modularitylabel 8.2 "Sapphire Caracal"
