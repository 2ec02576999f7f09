"""What a session of the model may do in one step. Each takes the world, the session, and two numbers that choose."""

import re
from collections.abc import Awaitable, Callable
from typing import Final

from tests.support.imap_lines import Box, Message, changed_flags, check, flags_of, numbers_of
from tests.support.imap_storm import storm
from tests.support.imap_world import FLAGS, NAMES, Cache, World

CHANGES: Final = ("+FLAGS", "-FLAGS", "FLAGS", "+FLAGS.SILENT", "-FLAGS.SILENT")


async def select(world: World, session: int, a: int, b: int) -> None:
    """SELECT, EXAMINE now and then."""
    peer = await world.peer(session)
    await world.open(peer, world.box(a), writable=b % 4 != 0)


async def noop(world: World, session: int, a: int, b: int) -> None:
    """NOOP, or CAPABILITY, that tells as much."""
    await world.do(session, "NOOP" if a % 2 else "CAPABILITY", "OK")


async def append(world: World, session: int, a: int, b: int) -> None:
    """APPEND of a new message."""
    peer = await world.peer(session)
    box = world.box(a)
    flags = [flag for bit, flag in enumerate(FLAGS) if b >> bit & 1]
    world.count += 1
    subject = f"m{world.count}"
    text = f"Subject: {subject}\r\n\r\nx\r\n"
    uid = box.add(Message(subject, flags_of(" ".join(flags))))
    line = await world.command(
        peer, f"APPEND {box.name} ({' '.join(flags)}) {{{len(text)}+}}\r\n{text}", "OK [APPENDUID"
    )
    check(line.split()[4].rstrip("]") == str(uid), f"the UID is {uid}")


async def store(world: World, session: int, a: int, b: int) -> None:
    """STORE and UID STORE of one flag."""
    peer = await world.peer(session)
    chosen = world.choose(peer, a)
    if peer.box is None or not chosen:
        return
    change, flag = CHANGES[b % len(CHANGES)], FLAGS[b // 5 % len(FLAGS)]
    uids = [peer.view[at] for at in chosen]
    by_uid = b // 25 % 2
    numbers = ",".join(str(uid) if by_uid else str(at + 1) for at, uid in zip(chosen, uids, strict=True))
    status = "NO [READ-ONLY]"

    def known() -> None:
        for uid in uids:
            if "SILENT" in change and peer.writable and uid in peer.flags:
                peer.flags[uid] = changed_flags(peer.flags[uid], change, flag.lower())  # what a client does by itself

    if peer.writable:
        status = "OK"
        for uid in uids:
            message = peer.box.messages.get(uid)
            if message is None:
                continue
            peer.before[uid] = message.flags
            message.flags = changed_flags(message.flags, change, flag.lower())
    await world.command(peer, f"{'UID ' * by_uid}STORE {numbers} {change} ({flag})", status, after=known)
    peer.before = {}


async def expunge(world: World, session: int, a: int, b: int) -> None:
    """EXPUNGE, UID EXPUNGE or CLOSE."""
    peer = await world.peer(session)
    if peer.box is None:
        return
    box, uids = peer.box, None
    text = ("EXPUNGE", "UID EXPUNGE", "CLOSE")[b % 3]
    if b % 3 == 1:
        uids = [peer.view[at] for at in world.choose(peer, a)]
        if not uids:
            return
        text += " " + ",".join(map(str, uids))
    if peer.writable:
        for uid, message in list(box.messages.items()):
            if "\\deleted" in message.flags and (uids is None or uid in uids):
                del box.messages[uid]
    if b % 3 == 2:
        peer.select(None)
    await world.command(peer, text, "OK" if peer.writable or b % 3 == 2 else "NO [READ-ONLY]")


async def copy(world: World, session: int, a: int, b: int) -> None:
    """COPY and MOVE, by number and by UID, into the same mailbox too."""
    peer = await world.peer(session)
    chosen = world.choose(peer, a)
    if peer.box is None or not chosen:
        return
    target, moves, by_uid = world.box(b), b // 4 % 2, b // 8 % 2
    wanted = [peer.view[at] for at in chosen]
    numbers = ",".join(str(uid) if by_uid else str(at + 1) for at, uid in zip(chosen, wanted, strict=True))
    uids = [uid for uid in wanted if uid in peer.box.messages]
    text = f"{'UID ' * by_uid}{'MOVE' if moves else 'COPY'} {numbers} {target.name}"
    if moves and not peer.writable:
        await world.command(peer, text, "NO [READ-ONLY]")
        return
    if len(uids) < len(wanted) and not by_uid:
        await world.command(peer, text, "NO [EXPUNGEISSUED]")
        return
    new = [target.add(peer.box.messages[uid]) for uid in uids]
    for uid in uids:
        if moves:
            del peer.box.messages[uid]
    line = await world.command(peer, text, "OK")
    said = " ".join([*peer.lines, line])
    check(("[COPYUID" in said) == bool(new), "COPYUID comes with what was copied")
    if new:
        told = re.search(r"\[COPYUID \d+ (\S+) (\S+)\]", said)
        check(told is not None and numbers_of(told[1]) == uids and numbers_of(told[2]) == new, f"COPYUID {uids} {new}")


async def create(world: World, session: int, a: int, b: int) -> None:
    """CREATE, of what is there too."""
    name = NAMES[a % len(NAMES)]
    exists = name in world.boxes
    if not exists:
        for level in (name.split("/")[0], name):
            world.boxes.setdefault(level, Box(level))
    await world.do(session, f"CREATE {name}", "NO [ALREADYEXISTS]" if exists else "OK")


async def delete(world: World, session: int, a: int, b: int) -> None:
    """DELETE, of what is not there too; INBOX stays."""
    name = NAMES[a % len(NAMES)]
    if name == "INBOX":
        return
    peer = await world.peer(session)
    if name not in world.boxes:
        await world.command(peer, f"DELETE {name}", "NO [NONEXISTENT]")
    elif any(other.startswith(name + "/") for other in world.boxes):
        await world.command(peer, f"DELETE {name}", "NO [HASCHILDREN]")
    else:
        box = world.boxes.pop(name)
        own = peer.box is box
        if own:
            peer.select(None)
        await world.command(peer, f"DELETE {name}", "OK")
        check(any("[CLOSED]" in line for line in peer.lines) == own, "CLOSED is told of the own mailbox")


async def rename(world: World, session: int, a: int, b: int) -> None:
    """RENAME of one name and those below it."""
    old, new = NAMES[1 + a % 3], NAMES[1 + b % 3]
    if new.startswith(old + "/"):
        return
    text = f"RENAME {old} {new}"
    if old not in world.boxes:
        await world.do(session, text, "NO [NONEXISTENT]")
        return
    moved = {name: new + name[len(old) :] for name in world.boxes if name == old or name.startswith(old + "/")}
    if any(target in world.boxes for target in moved.values()):
        await world.do(session, text, "NO [ALREADYEXISTS]")
        return
    peer = await world.peer(session)
    boxes = {name: world.boxes.pop(name) for name in moved}
    if "/" in new:
        world.boxes.setdefault(new.split("/")[0], Box(new.split("/")[0]))
    for name, box in boxes.items():
        box.name = moved[name]
        world.boxes[box.name] = box
    await world.command(peer, text, "OK")


async def fetch(world: World, session: int, a: int, b: int) -> None:
    """All that there is to know; or some of it by number, which must not move numbers."""
    peer = await world.peer(session)
    if peer.box is None or not peer.view:
        return
    if b % 2:
        known = set(peer.view)
        await world.command(peer, "UID FETCH 1:* (FLAGS ENVELOPE)", "OK")
        check(peer.flags.keys() >= known & set(peer.box.messages), "FETCH of all gives all")
        return
    chosen = world.choose(peer, a)
    await world.command(peer, f"FETCH {chosen[0] + 1}:{chosen[-1] + 1} (UID FLAGS)", "OK")


async def search(world: World, session: int, a: int, b: int) -> None:
    """By flag; the numbers are those that the client knows."""
    peer = await world.peer(session)
    if peer.box is None:
        return
    flag, by_uid = FLAGS[a % len(FLAGS)], b % 2
    key = flag[1:].upper() if flag.startswith("\\") else f"KEYWORD {flag}"
    if b // 2 % 2:
        key = f"NOT {key}"
    box, view = peer.box, list(peer.view)
    expected = [
        uid if by_uid else at + 1
        for at, uid in enumerate(view)
        if uid in box.messages and (flag.lower() in box.messages[uid].flags) != bool(b // 2 % 2)
    ]
    if b // 4 % 2:
        await world.command(peer, f"{'UID ' * by_uid}SEARCH RETURN (ALL) {key}", "OK")
        told = [line.rpartition(" ALL ")[2] for line in peer.lines if "ESEARCH" in line and " ALL " in line]
        found = numbers_of(told[0]) if told else []
    else:
        await world.command(peer, f"{'UID ' * by_uid}SEARCH {key}", "OK")
        (told_line,) = [line for line in peer.lines if line.startswith("* SEARCH")]
        found = [int(number) for number in told_line.split()[2:]]
    check(found == expected, f"SEARCH finds {expected}")


async def status(world: World, session: int, a: int, b: int) -> None:
    """STATUS of what the model counts."""
    box = world.box(a)
    peer = await world.peer(session)
    await world.command(peer, f"STATUS {box.name} (MESSAGES UIDNEXT UNSEEN DELETED)", "OK")
    unseen = sum("\\seen" not in message.flags for message in box.messages.values())
    deleted = sum("\\deleted" in message.flags for message in box.messages.values())
    line = f"* STATUS {box.name} (MESSAGES {len(box.messages)} UIDNEXT {box.next} UNSEEN {unseen} DELETED {deleted})"
    check(line in peer.lines, line)


async def idle(world: World, session: int, a: int, b: int) -> None:
    """Begin IDLE; it ends when the session has something else to do, or when all was told that happened."""
    peer = await world.peer(session)
    peer.tags += 1
    peer.idle = f"t{peer.tags}"
    world.story.append(f"{session}: IDLE")
    await peer.client.send(f"{peer.idle} IDLE\r\n".encode())
    while not (line := await peer.client.line()).startswith("+"):
        peer.hear(line, may_expunge=True)


async def wait(world: World, session: int, a: int, b: int) -> None:
    """What happened comes to those in IDLE without their asking."""
    peer = world.peers[session]
    if peer is None or not peer.idle or peer.box is None or world.boxes.get(peer.box.name) is not peer.box:
        return
    world.story.append(f"{session}: waits")
    box = peer.box
    while not peer.fits(list(box.messages)) or any(
        uid in box.messages and box.messages[uid].flags != known for uid, known in peer.flags.items()
    ):
        line = await peer.client.line()
        world.story.append(f"     {line}")
        check(line != "end", "the connection ended in IDLE")
        peer.hear(line, may_expunge=True)


async def reconnect(world: World, session: int, a: int, b: int) -> None:
    """The connection ends; the next step of the session makes another."""
    peer = world.peers[session]
    if peer is not None:
        await peer.client.close()
        world.peers[session] = None
        world.story.append(f"{session}: goes away")


async def leave_with_cache(world: World, session: int, a: int, b: int) -> None:
    """Learn all of a mailbox and go, to come again with QRESYNC."""
    peer = await world.peer(session)
    if peer.box is None:
        return
    box = peer.box
    await world.command(peer, "NOOP", "OK")
    if peer.view:
        await world.command(peer, "UID FETCH 1:* (FLAGS)", "OK")
    await world.command(peer, f"STATUS {box.name} (HIGHESTMODSEQ)", "OK")
    (modseq,) = [int(found[1]) for line in peer.lines if (found := re.search(r"\* STATUS .*HIGHESTMODSEQ (\d+)", line))]
    world.caches = [*world.caches[-5:], Cache(box, modseq, {uid: peer.flags[uid] for uid in box.messages})]
    await reconnect(world, session, a, b)


async def come_again(world: World, session: int, a: int, b: int) -> None:
    """SELECT with QRESYNC (RFC 7162): the cache becomes what is there."""
    caches = [cache for cache in world.caches if world.boxes.get(cache.box.name) is cache.box]
    if not caches:
        return
    cache = caches[a % len(caches)]
    await world.leave_idle(session)
    await reconnect(world, session, a, b)
    peer = await world.peer(session)
    await world.command(peer, "ENABLE QRESYNC", "OK")
    peer.select(cache.box)
    peer.flags = dict(cache.flags)
    known = f" 1:{max(cache.flags)}" if b % 2 and cache.flags else ""
    text = f"SELECT {cache.box.name} (QRESYNC ({cache.box.validity} {cache.modseq}{known}))"
    await world.command(peer, text, "OK [READ-WRITE]")
    check(set(peer.flags) <= set(cache.box.messages), "what is gone must be told")
    if not known:
        check(set(peer.flags) == set(cache.box.messages), "what is new must be told")


async def unselect(world: World, session: int, a: int, b: int) -> None:
    """UNSELECT, where something is selected."""
    peer = await world.peer(session)
    if peer.box is not None:
        peer.select(None)
        await world.command(peer, "UNSELECT", "OK")


Action = Callable[[World, int, int, int], Awaitable[None]]
ACTIONS: Final[tuple[Action, ...]] = (
    select, append, store, expunge, copy, fetch, search, noop, idle, wait, status, create, delete, rename, reconnect,
    unselect, leave_with_cache, come_again, store, append, copy, expunge, noop, select, storm,
)  # fmt: skip
"""Some twice: what happens often."""
