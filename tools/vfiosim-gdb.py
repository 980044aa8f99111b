# SPDX-License-Identifier: GPL-2.0-only
"""gdb helpers for vfiosim.

kb NAME            break at a modelled kernel function by its kernel name
vfiosim tasks      the tasks of the run: state, pending operation, stack
vfiosim object P   what is known of the arena object at P

Pretty printers show locks, lists, completions and references of the modelled
kernel as what they mean. "vfiosim replay --gdb" loads this file.
"""
import gdb
import gdb.printing


def engine():
    run = gdb.parse_and_eval("vfiosim_run")
    pending = run["menu"]["pending"]
    kind = gdb.lookup_type("struct engine")
    offset = next(f.bitpos // 8 for f in kind.fields() if f.name == "pending")
    address = int(pending) - offset
    return gdb.Value(address).cast(kind.pointer()).dereference()


def operation(number):
    return gdb.Value(number).cast(gdb.lookup_type("enum eng_op"))


def frames(task, depth=12):
    """Function names up the chain of frame pointers."""
    frame = int(task["frame"])
    low = int(task["fiber"]["stack_low"])
    high = low + int(task["fiber"]["stack_size"])
    pointer = gdb.lookup_type("unsigned long").pointer()
    names = []
    while low < frame < high - 16 and len(names) < depth:
        words = gdb.Value(frame).cast(pointer)
        block = gdb.block_for_pc(int(words[1]))
        while block and not block.function:
            block = block.superblock
        names.append(str(block.function) if block else "?")
        if int(words[0]) <= frame:
            break
        frame = int(words[0])
    return names


class KernelBreak(gdb.Command):
    """kb NAME: break at the modelled kernel function NAME."""

    def __init__(self):
        super().__init__("kb", gdb.COMMAND_BREAKPOINTS, gdb.COMPLETE_SYMBOL)

    def invoke(self, argument, from_tty):
        gdb.execute("break vfiosim_" + argument, from_tty)


class Vfiosim(gdb.Command):
    """vfiosim tasks | vfiosim object POINTER"""

    def __init__(self):
        super().__init__("vfiosim", gdb.COMMAND_DATA, prefix=True)


class Tasks(gdb.Command):
    """The tasks of the run: state, pending operation, stack."""

    def __init__(self):
        super().__init__("vfiosim tasks", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        e = engine()
        for i in range(int(e["n_tasks"])):
            task = e["tasks"][i]
            alive = int(e["alive"]) >> i & 1
            blocked = int(e["blocking"]) >> i & 1
            state = "waits in" if blocked else "at"
            name = task["ts"]["comm"].string()
            if not alive:
                print("%c%2d %-16s ended" % ("*" if i == int(e["current"]) else " ", i, name))
                continue
            print("%c%2d %-16s %s %s: %s" % (
                "*" if i == int(e["current"]) else " ", i, name, state,
                str(operation(int(e["pending"][i]["op"]))).replace("ENG_OP_", "").lower(),
                " < ".join(frames(task))))


class Object(gdb.Command):
    """What is known of the arena object at an address."""

    def __init__(self):
        super().__init__("vfiosim object", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        address = int(gdb.parse_and_eval(argument))
        print(gdb.parse_and_eval("(char *)vfiosim_object_name((void *)%d)" % address).string())


def owner_name(number):
    return "nobody" if not number else "task %d" % (number - 1)


class LockPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return "held by " + owner_name(int(self.value["owner"]))


class RwsemPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        readers = int(self.value["readers"])
        if readers:
            return "%d readers" % readers
        return "writer: " + owner_name(int(self.value["owner"]))


class CompletionPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return "done %d" % int(self.value["done"])


class ListPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        head, count = self.value.address, 0
        at = self.value["next"]
        while at and at != head and count < 10000:
            at, count = at.dereference()["next"], count + 1
        return "list of %d" % count


def printers():
    p = gdb.printing.RegexpCollectionPrettyPrinter("vfiosim")
    p.add_printer("mutex", "^mutex$", LockPrinter)
    p.add_printer("spinlock", "^spinlock$", LockPrinter)
    p.add_printer("rwsem", "^rw_semaphore$", RwsemPrinter)
    p.add_printer("completion", "^completion$", CompletionPrinter)
    p.add_printer("list", "^list_head$", ListPrinter)
    return p


KernelBreak()
Vfiosim()
Tasks()
Object()
gdb.printing.register_pretty_printer(None, printers(), replace=True)
