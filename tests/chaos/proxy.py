"""A small TCP proxy in front of PostgreSQL that can go deaf: lines stay open, and nothing comes through any more."""

from __future__ import annotations

import asyncio
import contextlib
import threading

from supportdesk.embedded.processes import free_port


class FaultProxy:
    """`go_deaf()` makes every open line half-open for good; new lines work once `hear_again()` is called."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = free_port("127.0.0.1", target + 1000)
        self.lines: set[asyncio.Task[None]] = set()
        self._generation, self._deaf = 0, False
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="proxy", daemon=True)

    def __enter__(self) -> FaultProxy:
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def go_deaf(self) -> None:
        self._generation, self._deaf = self._generation + 1, True

    def hear_again(self) -> None:
        self._deaf = False

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(asyncio.start_server(self._accept, "127.0.0.1", self.port))
        self._ready.set()
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(asyncio.sleep(0))

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        generation = self._generation
        if self._deaf:
            await self._hold(generation)
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        ways = (self._pump(reader, there_writer, generation), self._pump(there_reader, writer, generation))
        await asyncio.gather(*ways, return_exceptions=True)
        for end in (writer, there_writer):
            end.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, generation: int) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                if generation < self._generation:
                    await self._hold(generation)
                writer.write(data)
                await writer.drain()
            writer.transport.abort()

    async def _hold(self, generation: int) -> None:
        """Keep the line open and say nothing, for good: the other end has to notice."""
        await asyncio.sleep(3600)
