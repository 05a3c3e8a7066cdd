"""The service as a process of its own, as its users run it."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

import psutil
import requests

_LISTENING = re.compile(r" on http://127\.0\.0\.1:(\d+)$")
# Only for what never happens: a busy machine may need minutes.
_MOST_SECONDS = 900

PROGRAM = (sys.executable, "-m", "tf_unsup3d.programs.serve")


class ServerProcess:
    """A running service.

    Attributes:
      url: The address, without a path.
      port: The port.
      log: The lines it has written to standard error.
    """

    def __init__(self, *arguments, command=PROGRAM):
        self.log: list[str] = []
        self._listening = threading.Event()
        self._process = subprocess.Popen(
            [*command, "--port=0", *arguments],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._listening.wait(_MOST_SECONDS) or not self.port:
            self.stop(signal.SIGKILL)
            raise AssertionError("\n".join(self.log))

    port = 0

    def _read(self):
        for line in self._process.stderr:
            self.log.append(line.rstrip("\n"))
            if match := _LISTENING.search(self.log[-1]):
                self.port = int(match[1])
                self._listening.set()
        self._listening.set()

    def processor_seconds(self):
        """The time that processor cores have worked for it."""
        times = psutil.Process(self._process.pid).cpu_times()
        return times.user + times.system

    def status(self):
        """What Linux tells about the process."""
        return pathlib.Path(f"/proc/{self._process.pid}/status").read_text()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def wait_until_ready(self):
        self.wait_for(lambda: requests.get(f"{self.url}/readyz").status_code == 200)

    def wait_for(self, condition):
        """Waits until something is so, as long as the process runs."""
        end = time.monotonic() + _MOST_SECONDS
        while self._process.poll() is None:
            if condition():
                return
            assert time.monotonic() < end, self.log
            time.sleep(0.02)
        raise AssertionError("\n".join(self.log))

    def metric(self, name):
        """The value of a metric; the sum over its labels."""
        text = requests.get(f"{self.url}/metrics").text
        found = re.findall(rf"^{name}(?:\{{[^}}]*\}})? (\S+)$", text, re.MULTILINE)
        return sum(map(float, found))

    def send_signal(self, number=signal.SIGTERM):
        self._process.send_signal(number)

    def stop(self, number=signal.SIGTERM):
        """Ends the process, and returns its exit status."""
        if self._process.poll() is None:
            self.send_signal(number)
        return self.wait()

    def wait(self):
        """Waits until the process has ended, and returns its exit status."""
        status = self._process.wait(_MOST_SECONDS)
        self._reader.join()
        return status


@contextlib.contextmanager
def serving(model: pathlib.Path | str, *arguments, **options):
    server = ServerProcess(f"--model={model}", *arguments, **options)
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.stop()
