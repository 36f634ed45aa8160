# A Rust program with its dependencies recorded in it, of old versions. Needs Cargo.
CARGO_HOME=${CARGO_HOME:-$HOME/.cargo}
command -v cargo-auditable >/dev/null || cargo install --quiet --locked cargo-auditable
mkdir -p app/src "$ROOTFS/usr/local/bin"
cd app
cat >Cargo.toml <<'TOML'
[package]
name = "old-app"
version = "0.1.0"
edition = "2021"
[dependencies]
time = "=0.1.43"
regex = "=1.5.4"
smallvec = "=1.6.0"
chrono = "=0.4.19"
tokio = { version = "=1.8.0", features = ["net", "rt", "io-util"] }
hyper = { version = "=0.14.9", features = ["server", "http1", "tcp"] }
h2 = "=0.3.4"
thread_local = "=1.1.3"
bytes = "=1.0.1"
TOML
cat >src/main.rs <<'RS'
fn main() {
    println!("{:?} {:?}", chrono::Utc::now(), regex::Regex::new("a"));
    let _ = (time::now(), smallvec::SmallVec::<[u8; 4]>::new(), bytes::Bytes::new());
    let _ = thread_local::ThreadLocal::<u8>::new();
    let _ = hyper::Body::empty();
    let _ = std::mem::size_of::<(h2::Error, tokio::runtime::Runtime)>();
}
RS
cargo auditable build --quiet --release
cp target/release/old-app "$ROOTFS/usr/local/bin/"
# What the program was built from, by cargo; proc macros and build scripts are not in it.
cargo tree --edges normal,no-proc-macro --target x86_64-unknown-linux-gnu --prefix none --format '{p}' | awk -v OFS='\t' '{ sub(/^v/, "", $2); print "cargo", $1, $2 }' | sort -u >"$EXPECTED"
