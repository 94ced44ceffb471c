"""The uplink's wire: a TCP relay on loopback that can be cut and mended."""

import contextlib
import select
import socket
import threading


class Link(threading.Thread):
    """Relays connections to `target`; while cut, it drops those there are and refuses new ones."""

    def __init__(self, target: tuple[str, int]) -> None:
        super().__init__(name="link", daemon=True)
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._is_cut = False
        self.start()

    def run(self) -> None:
        """Accept until `close`."""
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._relay, args=(near,), daemon=True).start()

    def cut(self) -> None:
        """Break the wire."""
        with self._lock:
            self._is_cut = True
            for end in self._open:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Make the wire whole again."""
        self._is_cut = False

    def close(self) -> None:
        """Cut, and stop listening."""
        self.cut()
        self._listener.close()

    def _relay(self, near: socket.socket) -> None:
        with contextlib.suppress(OSError), near:
            if self._is_cut:
                return
            with socket.create_connection(self._target, timeout=5) as far:
                with self._lock:
                    self._open |= {near, far}
                try:
                    _pump(near, far)
                finally:
                    with self._lock:
                        self._open -= {near, far}


def _pump(near: socket.socket, far: socket.socket) -> None:
    other = {near: far, far: near}
    while True:
        for end in select.select([near, far], [], [])[0]:
            data = end.recv(65536)
            if not data:
                return
            other[end].sendall(data)
