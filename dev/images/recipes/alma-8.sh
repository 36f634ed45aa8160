# AlmaLinux 8 with the packages of a real CentOS 8 system, as stubs that rpm built and installed. Needs rpm, rpmbuild and the test data.
bash "$(dirname "$RECIPE")/lib/rpm-system" "$TEST_DATA/images/package-lists/go-rpmdb/centos8-modularitylabel.tsv" "$ROOTFS" "$EXPECTED"
mkdir -p "$ROOTFS/etc"
cat >"$ROOTFS/etc/os-release" <<'OS'
NAME="AlmaLinux"
VERSION="8.2 (Sapphire Caracal)"
ID="almalinux"
ID_LIKE="rhel centos fedora"
VERSION_ID="8.2"
PLATFORM_ID="platform:el8"
PRETTY_NAME="AlmaLinux 8.2 (Sapphire Caracal)"
OS
