# A Python application with packages of old versions. Needs Python 3.11 with pip.
site=$ROOTFS/usr/local/lib/python3.11/site-packages
mkdir -p "$site"
pip install --quiet --no-deps --no-compile --only-binary :all: --target "$site" \
  django==3.2 flask==0.12.2 jinja2==2.10 werkzeug==0.14.1 requests==2.19.1 urllib3==1.24.1 certifi==2022.9.24 pyjwt==1.5.0 \
  cryptography==41.0.0 pillow==9.5.0 numpy==1.23.5 sqlparse==0.2.4 setuptools==58.0.0 wheel==0.37.0 pip==21.0 aiohttp==3.8.5 \
  tornado==6.2 twisted==22.4.0 paramiko==2.4.0 rsa==4.0 idna==2.8 pygments==2.7.0 lxml==4.9.2 gunicorn==19.9.0 \
  ansible-core==2.13.0 celery==5.1.0 waitress==1.3.0 scrapy==2.5.0 mistune==0.8.4 bleach==3.1.0 markdown2==2.3.8 oauthlib==3.2.0 \
  jupyter-server==1.13.0 notebook==6.4.0 sentry-sdk==1.5.0 starlette==0.20.0 fastapi==0.60.0 uvicorn==0.11.3 httpx==0.22.0
rm -rf "$site/bin"
# What is installed, by the standard library of Python.
python3 - "$site" >"$EXPECTED" <<'PY'
import sys
from importlib.metadata import distributions
from pathlib import Path
# Wherever they lie: some packages carry others inside.
folders = {str(found.parent) for found in Path(sys.argv[1]).rglob('*.dist-info')}
for line in sorted({f"pypi\t{d.metadata['Name']}\t{d.version}" for d in distributions(path=sorted(folders))}):
    print(line)
PY
