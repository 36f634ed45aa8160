"""Packs a root file system as a docker archive with one gzip-compressed layer: pack.py ROOT ARCHIVE NAME."""

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile

root, archive, name = sys.argv[1:]
layer = f"{archive}.layer"
plain = hashlib.sha256()
tar = subprocess.Popen(
    ["tar", "-C", root, "--sort=name", "--numeric-owner", "--mtime=@1790000000", "-cf", "-", "."], stdout=subprocess.PIPE
)
with open(layer, "wb") as out:
    gzip = subprocess.Popen(["gzip", "-n", "-6"], stdin=subprocess.PIPE, stdout=out)
    while piece := tar.stdout.read(1 << 20):
        plain.update(piece)
        gzip.stdin.write(piece)
    gzip.stdin.close()
    if tar.wait() or gzip.wait():
        sys.exit("the root file system could not be packed")

config = json.dumps(
    {
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{plain.hexdigest()}"]},
        "history": [{"created_by": "ADD runtimes / # buildkit"}],
    }
).encode()
config_name = f"{hashlib.sha256(config).hexdigest()}.json"
layer_name = f"{plain.hexdigest()}/layer.tar"
manifest = json.dumps([{"Config": config_name, "RepoTags": [name], "Layers": [layer_name]}]).encode()

partial = f"{archive}.partial"
with tarfile.open(partial, "w", format=tarfile.USTAR_FORMAT) as target:
    for member, content in ((config_name, config), ("manifest.json", manifest)):
        header = tarfile.TarInfo(member)
        header.size = len(content)
        target.addfile(header, io.BytesIO(content))
    header = tarfile.TarInfo(layer_name)
    header.size = os.path.getsize(layer)
    with open(layer, "rb") as content:
        target.addfile(header, content)
os.remove(layer)
os.rename(partial, archive)
