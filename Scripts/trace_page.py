"""What the scripts about the trace's page have in common: a page to look at, and a browser to look with."""
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def find_browser():
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if shutil.which(name):
            return name
    return None


def browser():
    """The browser's command. Without one it is installed, where that is possible."""
    found = find_browser()
    if found:
        return found
    if shutil.which("apt-get") and os.geteuid() == 0:
        environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "chromium"]):
            if subprocess.run(command, env=environment, stdout=subprocess.DEVNULL).returncode != 0:
                break
    return find_browser()


def make_page(path):
    """Lets the sample program of the tests write its trace."""
    command = ["swift", "test", "--filter", "TracePageTests/sample"]
    environment = dict(os.environ, TRACE_PAGE=path)
    result = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode != 0 or not os.path.exists(path):
        sys.exit(result.stdout + "\nno page was written")


def run_browser(command, page, arguments, width=1200, height=600, anchor="", timeout=120):
    """Shows the page without a window, and returns what the browser prints."""
    with tempfile.TemporaryDirectory() as profile:
        return subprocess.run(
            [command, "--headless=new", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
             # A container's root may not have a sandbox; what is shown is our own.
             *(["--no-sandbox"] if os.geteuid() == 0 else []),
             f"--user-data-dir={profile}", f"--window-size={width},{height}",
             "--virtual-time-budget=20000", *arguments, f"file://{os.path.abspath(page)}{anchor}"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=timeout, check=True).stdout
