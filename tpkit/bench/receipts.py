"""A stand-in for central: stores what kits send, in memory, and sends receipts for it.

It keeps every record it has seen, so tests and the demo can ask what arrived and how often.
"""

import threading
import time
import zlib
from collections import Counter, defaultdict
from typing import Any

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tpkit.domain.ranges import RangeSet
from tpkit.domain.wire import VERSION, Receipt, topic

RECEIPT_EVERY_S = 1.0
Key = tuple[str, str, int]


class ReceiptSender:
    """Subscribes to `tp/v1/#` and confirms records once a second."""

    def __init__(self, host: str, port: int, client_id: str = "receipts") -> None:
        self.order: list[str] = []
        self.live: dict[str, dict[str, Any]] = {}
        self.events: dict[Key, dict[str, Any]] = {}
        self.rows: dict[Key, dict[str, Any]] = {}
        self.times_seen: Counter[Key] = Counter()
        self.arrived = threading.Condition()
        self._stored: dict[tuple[str, str, str], RangeSet] = defaultdict(RangeSet)
        self._dirty: set[tuple[str, str, str]] = set()
        self._stopping = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id, protocol=mqtt.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe("tp/v1/#", qos=1)
        self._client.on_message = self._take
        self._client.reconnect_delay_set(1, 2)
        lasting = Properties(PacketTypes.CONNECT)
        lasting.SessionExpiryInterval = 3600
        self._client.connect(host, port, keepalive=20, clean_start=False, properties=lasting)
        self._client.loop_start()
        threading.Thread(target=self._confirm, name="receipts", daemon=True).start()

    def close(self) -> None:
        """Stop confirming and leave the broker."""
        self._stopping.set()
        self._client.disconnect()
        self._client.loop_stop()

    def wait_for(self, condition: Any, timeout_s: float) -> bool:
        """Wait until `condition()` is true, judged after every message."""
        with self.arrived:
            return bool(self.arrived.wait_for(condition, timeout_s))

    def _take(self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        _, _, org, kit, leaf, *rest = message.topic.split("/")
        if leaf == "down" or rest or not message.payload:
            return
        with self.arrived:
            self.order.append(leaf)
            if leaf == "live":
                self.live[kit] = msgspec.json.decode(message.payload)
            elif leaf == "event":
                self._take_event(org, kit, msgspec.json.decode(message.payload))
            elif leaf == "hist":
                self._take_batch(org, kit, msgspec.json.decode(zlib.decompress(message.payload)))
            self.arrived.notify_all()

    def _take_event(self, org: str, kit: str, event: dict[str, Any]) -> None:
        key = (kit, event["ep"], event["n"])
        self.events[key] = event
        self._note(org, key)

    def _take_batch(self, org: str, kit: str, batch: dict[str, Any]) -> None:
        for values in batch["d"]:
            row = dict(zip(batch["c"], values, strict=True))
            key = (kit, batch["ep"], batch["n1"] - row["dn"])
            self.rows[key] = {**row, "kind": batch["kind"], "t": batch["t0"] - row["dt"]}
            self._note(org, key)

    def _note(self, org: str, key: Key) -> None:
        kit, ep, number = key
        self.times_seen[key] += 1
        self._stored[org, kit, ep].add(number, number)
        self._dirty.add((org, kit, ep))

    def _confirm(self) -> None:
        while not self._stopping.wait(RECEIPT_EVERY_S):
            with self.arrived:
                due = [(life, list(self._stored[life])) for life in self._dirty]
                self._dirty.clear()
            for (org, kit, ep), ranges in due:
                receipt = Receipt(VERSION, ep, ranges, time.time_ns() // 1_000_000)
                self._client.publish(topic(org, kit, "down/receipt"), msgspec.json.encode(receipt), qos=1)
