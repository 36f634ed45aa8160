# AlmaLinux 9 with the packages of a real Rocky Linux 9 system, as stubs that rpm built and installed. Needs rpm, rpmbuild and the test data.
bash "$(dirname "$RECIPE")/lib/rpm-system" "$TEST_DATA/images/package-lists/go-rpmdb/rockylinux-9.tsv" "$ROOTFS" "$EXPECTED"
mkdir -p "$ROOTFS/etc"
cat >"$ROOTFS/etc/os-release" <<'OS'
NAME="AlmaLinux"
VERSION="9.2 (Turquoise Kodkod)"
ID="almalinux"
ID_LIKE="rhel centos fedora"
VERSION_ID="9.2"
PLATFORM_ID="platform:el9"
PRETTY_NAME="AlmaLinux 9.2 (Turquoise Kodkod)"
OS
