"""What a run does now, read from its journals while they grow. It asks no node and no process."""

from harness.live.board import Board
from harness.live.follow import follow
from harness.live.lines import body
from harness.live.scene import Scene
from harness.live.tail import Tail
from harness.live.terminal import Terminal
from harness.live.ticker import Ticker
from harness.live.under import Under

__all__ = ["Board", "Scene", "Tail", "Terminal", "Ticker", "Under", "body", "follow"]
