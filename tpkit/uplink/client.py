"""One MQTT 5 session over paho: callbacks only queue what happened; one thread does everything else."""

import queue
import ssl
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from msgspec import Struct
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from tpkit.config import Config, UplinkSection, host_and_port
from tpkit.domain.wire import topic
from tpkit.errors import UplinkRefusedError
from tpkit.uplink import payloads
from tpkit.uplink.lanes import Publication

KEEPALIVE_S = 60
CONNECT_S = 20.0
SESSION_EXPIRY_S = 7 * 24 * 3600
WILL_DELAY_S = 90
WINDOW = 20
UNSPECIFIED = 0x80  # what paho says of a connection that just ended
NO_SUBSCRIBERS = 0x10  # a success by the standard, but nobody stores what we sent


class Acknowledged(Struct, frozen=True):
    """The broker answered a publication. `refusal` is its reason, or empty."""

    publication: Publication
    refusal: str
    heard: bool


class Received(Struct, frozen=True):
    """A message from central."""

    topic: str
    payload: bytes


class Gone(Struct, frozen=True):
    """The connection has ended."""

    reason: str


Happening = Acknowledged | Received | Gone


class Session:
    """A connection from CONNECT to its end. Used by one thread, and for one connection only.

    paho's own queue is never storage: at most WINDOW messages are under way, and what had no answer
    when the connection ended is in `unanswered`.
    """

    def __init__(self, config: Config, section: UplinkSection) -> None:
        site = config.site
        self._happened: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._under_way: dict[int, tuple[Publication, float]] = {}
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, site.kit, protocol=mqtt.MQTTv5, reconnect_on_failure=False
        )
        self._client.max_inflight_messages_set(WINDOW)
        self._client.connect_timeout = CONNECT_S
        if section.ca:
            _use_tls(self._client, section)
        will = Properties(PacketTypes.WILLMESSAGE)
        will.WillDelayInterval = WILL_DELAY_S
        status_topic = topic(site.org, site.kit, "status")
        self._client.will_set(status_topic, payloads.status(on=False), 1, True, will)
        happened = self._happened
        self._client.on_connect = lambda *a: happened.put(("connected", a[3]))
        self._client.on_disconnect = lambda *a: happened.put(("gone", a[3]))
        self._client.on_publish = lambda *a: happened.put(("published", (a[2], a[3])))
        self._client.on_message = lambda *a: happened.put(("message", a[2]))
        self._down = topic(site.org, site.kit, "down/#")
        self._address = host_and_port(section.broker)

    @property
    def unanswered(self) -> list[Publication]:
        """Publications that the broker has not answered."""
        return [publication for publication, _ in self._under_way.values()]

    @property
    def has_room(self) -> bool:
        """Whether the window allows another publication."""
        return len(self._under_way) < WINDOW

    def open(self) -> None:
        """Connect and subscribe. Raises OSError if nobody answers, UplinkRefusedError if we are refused."""
        lasting = Properties(PacketTypes.CONNECT)
        lasting.SessionExpiryInterval = SESSION_EXPIRY_S
        self._client.connect(*self._address, KEEPALIVE_S, clean_start=False, properties=lasting)
        self._client.loop_start()
        deadline = time.monotonic() + CONNECT_S
        while True:
            try:
                what, detail = self._happened.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise TimeoutError("the broker accepted the connection but did not answer") from None
            if what == "connected":
                break
            if what == "gone":
                raise ConnectionError(f"the broker closed the connection ({detail})")
        if detail.is_failure:
            raise UplinkRefusedError(f"The broker refuses this kit: {detail}.")
        self._client.subscribe(self._down, qos=1)

    def publish(self, publication: Publication) -> None:
        """Hand a message to the broker; its answer comes out of `wait`.

        Raises ConnectionError; the message is then among the `unanswered`, as one on its way is.
        """
        info = self._client.publish(publication.topic, publication.payload, qos=1, retain=publication.retain)
        self._under_way[info.mid] = (publication, time.monotonic())
        if info.rc != mqtt.MQTT_ERR_SUCCESS:
            raise ConnectionError(mqtt.error_string(info.rc))

    def wait(self, timeout_s: float) -> Happening | None:
        """The next thing that happens, or None if nothing does in time."""
        try:
            what, detail = self._happened.get(timeout=timeout_s)
        except queue.Empty:
            return None
        match what:
            case "published":
                return self._acknowledge(*detail)
            case "message":
                return Received(detail.topic, bytes(detail.payload))
            case "gone":
                lost = detail.value == UNSPECIFIED
                return Gone("the connection was lost" if lost else str(detail))
        return None

    def oldest_wait_s(self) -> float:
        """How long the longest unanswered publication has been under way."""
        started = [sent_s for _, sent_s in self._under_way.values()]
        return time.monotonic() - min(started) if started else 0.0

    def close(self, farewell: Publication | None = None) -> None:
        """End the connection, after a last word if there is one."""
        if farewell is not None and self._client.is_connected():
            self._client.publish(farewell.topic, farewell.payload, 1, farewell.retain).wait_for_publish(2)
        self._client.disconnect()
        self._client.loop_stop()

    def _acknowledge(self, mid: int, reason: ReasonCode) -> Acknowledged | None:
        publication, _ = self._under_way.pop(mid, (None, 0.0))
        if publication is None:
            return None
        refusal = str(reason) if reason.is_failure else ""
        return Acknowledged(publication, refusal, heard=reason.value != NO_SUBSCRIBERS)


def _use_tls(client: mqtt.Client, section: UplinkSection) -> None:
    """Set up TLS. Raises UplinkRefusedError naming the file, which ssl's own errors do not."""
    try:
        for path in filter(None, (section.ca, section.cert, section.key)):
            Path(path).read_bytes()
        client.tls_set(section.ca, section.cert, section.key, tls_version=ssl.PROTOCOL_TLS_CLIENT)
    except (OSError, ValueError) as error:
        raise UplinkRefusedError(
            f"The files in [uplink] ca, cert and key cannot be used: {error}."
        ) from error
