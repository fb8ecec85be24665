# SPDX-License-Identifier: MIT
# gdb on a replay: `heddle tasks`, `bt`, `locks`, `step` and others.
#
# `heddle replay --gdb FILE` hands this text to gdb; it is part of the program.
# The replay tells its run in words before it makes it once more (debugger.c:
# heddle_debug); here are the breakpoints that stop the second time, and what is
# read from the world with the help of debug information: no offset is written
# down here.
#
# A task that is parked is shown by an unwinder: the frame that really runs gets
# the parked one as its caller.  No register is ever written, so nothing has to be
# restored before the program goes on.
import os
import gdb
import gdb.unwinder

def c(text):
	"""The value of an expression in C."""
	return gdb.parse_and_eval(text)

def debug(field):
	"""A number of heddle_debug."""
	return int(c("heddle_debug." + field))

def fail(text):
	raise gdb.GdbError("heddle: " + text)

# --- the replay -------------------------------------------------------------

class Step:
	"""An op of the run: struct debug_step."""
	def __init__(self, v):
		self.step, self.n, self.task, self.lock = (
			int(v[f]) for f in ("step", "n", "task", "lock"))
		self.op, self.values, self.place = (
			v[f].string() for f in ("op", "values", "place"))

	def __str__(self):
		text = "step %u: %s %s" % (self.step, name(self.task), self.op)
		if self.values:
			text += " " + self.values
		return text + at(self.place)

class Replay:
	"""What is known of the process that is there now."""
	def __init__(self):
		self.steps = []      # executed, in order
		self.told = {}       # (task, n): Step
		self.locks = {}      # (task, n, lock): Step
		self.goal = None     # step to stop at
		self.at_start = False    # stop before the run
		self.past = False    # go on where a verdict is raised
		self.busy = False    # a command of ours tells of the stop
		self.reached = None  # why it is about to stop
		self.why = None      # why it stopped: start, op, verdict, stuck
		self.running = None  # the task that has the stack
		self.can_go = None   # of each task; asked for once per stop

	def read(self):
		rows = c("heddle_debug.step")
		all = [Step(rows[i]) for i in range(debug("nsteps"))]
		self.locks = {(s.task, s.n, s.lock): s for s in all if s.lock}
		all = [s for s in all if not s.lock]
		self.steps = [s for s in all if s.step]
		self.told = {(s.task, s.n): s for s in all}

replay = Replay()

def at(place):
	return " at " + place if place else ""

def world():
	return c("heddle_debug.world").dereference()

def now(field):
	"""A number of the world."""
	return int(world()[field])

def last():
	"""The task that ran last, or runs."""
	return int(world()["cur"]["id"])

def task(i):
	return world()["tasks"][i]

def name(i):
	return c("heddle_debug.task")[i].string()

def in_set(tasks, i):
	"""hd_tasks has 128 bits."""
	raw = gdb.selected_inferior().read_memory(tasks.address,
						  tasks.type.sizeof)
	return int.from_bytes(bytes(raw), "little") >> i & 1

# --- where to stop ----------------------------------------------------------

class Stop(gdb.Breakpoint):
	def __init__(self, where, reached):
		super().__init__(where, internal=True)
		self.silent = True
		self.reached = reached

	def stop(self):
		return self.reached()

def attach():
	gdb.execute("set var heddle_debug.attached = 1")
	return False

def begins():
	replay.read()
	if replay.at_start:
		replay.reached = "start"
	return replay.at_start

def stops(why, condition):
	if not condition or not debug("live") or now("probing"):
		return False
	replay.reached = why
	return True

def at_verdict():
	"""It is about to be listed."""
	return stops("verdict", not replay.past and not is_stuck()
		     and now("nverdicts") >= debug("stop_at"))

def is_stuck():
	return debug("stuck") and now("nverdicts") + 1 == debug("nverdicts")

def at_finish():
	"""Nobody can go on: before the oracle resumes sleepers to look what
	they would do, after which their stacks tell nothing."""
	return stops("stuck", not replay.past and is_stuck())

def at_event():
	"""It is about to get its number."""
	return stops("op", now("step") + 1 == replay.goal)

Stop("cmd_replay", attach)
Stop("heddle_debug_watch", begins)
Stop("hd_list_verdict", at_verdict)
Stop("hd_finish", at_finish)
event = Stop("hd_emit", at_event)
event.enabled = False

def on_stop(_):
	parked.show(None)
	replay.why, replay.reached = replay.reached, None
	replay.running = replay.can_go = None
	if not debug("live"):
		return
	replay.running = find_running()
	if replay.why not in (None, "start") and not replay.busy:
		tell_stop()

def on_go(_):
	parked.task = parked.sp = None

def on_exit(_):
	replay.why = None

gdb.events.stop.connect(on_stop)
gdb.events.cont.connect(on_go)
gdb.events.exited.connect(on_exit)

def resume(command, goal=None):
	"""Go on, to the event of step goal, or to the next verdict.  False: what
	came was something else, a breakpoint of the user or the end."""
	parked.show(None)
	replay.goal = goal
	event.enabled = goal is not None
	replay.busy = True
	try:
		out = gdb.execute(command, to_string=True)
	finally:
		replay.busy = event.enabled = False
	if not gdb.selected_inferior().pid:
		print(out.strip())
	return replay.why is not None

def restart():
	"""To the moment before the run.  Breakpoints of the user do not count
	while the scenario is loaded."""
	off = [b for b in gdb.breakpoints() if b.visible and b.enabled]
	for b in off:
		b.enabled = False
	replay.at_start = True
	try:
		return resume("run")
	finally:
		replay.at_start = False
		for b in off:
			b.enabled = True

def run_to(step):
	replay.past = True
	try:
		return resume("continue", step)
	finally:
		replay.past = False

# --- frames -----------------------------------------------------------------

def root():
	"""Where the engine's sources are."""
	here = gdb.lookup_global_symbol("debug_replay").symtab.fullname()
	return os.path.dirname(os.path.dirname(here)) + "/"

OURS = ("src", "src/base", "src/engine", "src/oracle", "src/kernel",
	"src/posix", "triage", "fuzz")

def is_model(frame):
	"""Neither the engine, nor a helper of the API, nor the C library; nor
	what a model says to its checks."""
	file = frame.find_sal().symtab
	if not file or not frame.function() or frame.name().startswith("mm_note"):
		return False
	path = file.fullname()
	api = path.partition("include/heddle/")[2]
	if path.startswith("/usr/") or api and not api.startswith("mm"):
		return False
	inside = path.removeprefix(root()) # a program elsewhere: all of it
	return os.path.dirname(inside) not in OURS and not inside.startswith(
		"src/mm/check")

def frames():
	f = gdb.newest_frame()
	while f:
		yield f
		f = f.older()

def find_running():
	"""The task on whose stack the program stands, or None."""
	i, size = last(), debug("stack_size")
	low = debug("stacks") + i * size
	high = low + size
	on_it = any(low <= int(f.read_register("sp")) < high for f in frames())
	return i if on_it and i in tasks() else None

class FrameId:
	def __init__(self, sp, pc):
		self.sp, self.pc = sp, pc

class Parked(gdb.unwinder.Unwinder):
	"""Behind the newest frame comes a parked task: what hd_coro_switch()
	left on its stack is told by the unwind tables of coro_*.S."""
	task = newest = sp = None

	def __call__(self, pending):
		if self.sp is None:
			return None
		sp = pending.read_register("sp")
		pc = pending.read_register("pc")
		if int(sp) != self.newest:
			return None
		# inside of all other frames: a stack may lie anywhere
		one = gdb.Value(16).cast(sp.type)
		info = pending.create_unwind_info(FrameId(one, pc))
		info.add_saved_register("sp", gdb.Value(self.sp).cast(sp.type))
		info.add_saved_register("pc", self.resume.cast(pc.type))
		return info

	def show(self, i):
		self.task = self.sp = None
		gdb.invalidate_cached_frames()
		if i is None:
			return
		self.newest = int(gdb.newest_frame().read_register("sp"))
		self.resume = c("(long)&hd_coro_resume")
		self.task, self.sp = i, int(task(i)["sp"])
		gdb.invalidate_cached_frames()

parked = Parked("heddle: a parked task")
gdb.unwinder.register_unwinder(None, parked, True)

def look_at(i):
	"""Show the frames of task i."""
	if i == replay.running:
		parked.show(None)
		return
	if not is_alive(i):
		fail("%s has ended" % name(i))
	try:
		parked.show(i)
	except gdb.error: # no hd_coro_resume
		fail("CORO=ucontext: parked tasks cannot be shown")

def select_model():
	"""The innermost frame of the model, if there is one."""
	for f in frames():
		if is_model(f):
			f.select()
			return True
	return False

# --- what is told -----------------------------------------------------------

def ask_engine():
	"""Who can go on?  Calls into the program, with its own frames: the task
	that is looked at comes back afterwards."""
	if replay.can_go is not None:
		return
	seen, level = parked.task, gdb.selected_frame().level()
	parked.show(None)
	replay.can_go = [bool(c("heddle_debug_can_go(%u)" % i))
			 for i in tasks()]
	parked.show(seen)
	next(f for f in frames() if f.level() == level).select()

def here():
	"""The event that was told last, or is told now."""
	return now("step") + (replay.why == "op")

def steps_left():
	return [s for s in replay.steps if s.step > here()]

def announced(t):
	"""Is the lock on top of t's stack only announced?  As in progress.c."""
	op = t["op"]
	return int(t["nheld"]) and int(op["kind"]) == int(
		c("HD_ACQUIRED")) and not int(op["flags"]) & int(c("HD_UNMAPPED"))

def takes(i):
	"""The lock on top of the task's stack is not got yet, or just now."""
	t = task(i)
	if announced(t):
		return True
	s = replay.told.get((i, int(t["n"])))
	return (i == replay.running and int(t["nheld"]) > 0 and s is not None
		and int(top(t)["n"]) == s.n and not 0 < s.step <= here())

def top(t):
	return t["held"][int(t["nheld"]) - 1]

def held_by(i):
	"""The locks that the task has, oldest first."""
	t = task(i)
	return [t["held"][k] for k in range(int(t["held_below"]),
					    int(t["nheld"]) - takes(i))]

def tasks():
	return range(now("ntasks"))

def owners(map):
	return [name(i) for i in tasks()
		if any(h["map"] == map for h in held_by(i))]

def lock_text(h):
	text = h["map"]["name"].string()
	if int(h["subclass"]):
		text += "/%u" % int(h["subclass"])
	return text + (" (W)", " (R)", " (RR)")[int(h["read"])]

def is_alive(i):
	return int(task(i)["state"]) != int(c("HD_DONE"))

def op_of(i):
	"""What the task does, if it runs or waits for a lock; else what it
	would do next."""
	t = task(i)
	n = int(t["n"]) + (i != replay.running and not announced(t))
	return replay.told.get((i, n))

def state(i):
	t = task(i)
	if not is_alive(i):
		return "done"
	if i == replay.running:
		return "running"
	if in_set(world()["to_come"], i):
		return "to come"
	if int(t["state"]) == int(c("HD_ASLEEP")):
		return "asleep"
	return "ready" if replay.can_go[i] else "blocked"

def doing(i):
	t, s = task(i), op_of(i)
	if not is_alive(i) or not s:
		return ""
	text = s.op
	if announced(t):
		text += " waits for " + ", ".join(owners(top(t)["map"]))
	return text + at(s.place)

def task_line(i):
	t = task(i)
	return "%s %2u %-12s %-8s %3u ops, holds %u  %s" % (
		"*" if i == last() else " ", i, name(i),
		state(i), int(t["n"]), len(held_by(i)), doing(i))

def tell_verdict():
	n = now("nverdicts")
	print("heddle: step %u: %s" % (
		now("step") + (replay.why == "stuck"),
		c("heddle_debug.verdict")[n].string()))
	i = int(c("heddle_debug.verdict_task")[n])
	if replay.running is None and i in tasks() and is_alive(i):
		print("no task runs; here is " + name(i))
		try:
			look_at(i)
		except gdb.GdbError as e:
			print(e)

def tell_stop():
	"""Why it stopped; then the frame of the model, whoever has it."""
	op = None
	if replay.why == "op":
		print(next(s for s in replay.steps if s.step == replay.goal))
	else:
		tell_verdict()
		op = replay.running is not None and op_of(replay.running)
	if not select_model():
		print("no code of the model runs here")
		return
	sal = gdb.selected_frame().find_sal()
	if op and op.place != "%s:%u" % (sal.symtab.filename, sal.line):
		# a store is judged when its task enters the engine again
		print("its last op: %s%s" % (op.op, at(op.place)))
	gdb.execute("frame")

# --- commands ---------------------------------------------------------------

def need_run():
	if not gdb.selected_inferior().pid or not debug("live"):
		fail("no run is under way (heddle run)")
	if now("ended"):
		fail("the run has ended (heddle run)")

def number(text, least):
	if not text.isdigit() or int(text) < least:
		fail("not a number from %u on: %s" % (least, text))
	return int(text)

def task_named(text):
	if not text:
		text = str(last())
		if int(text) not in tasks():
			fail("no task runs: which one? (heddle tasks)")
	for i in tasks():
		if text in (str(i), name(i)):
			return i
	fail("no such task: %s (heddle tasks)" % text)

def cmd_run(_):
	"""heddle run
From the beginning to where the verdict is raised."""
	if not restart():
		return
	if debug("nverdicts"):
		if resume("continue"):
			tell_stop()
	elif not replay.steps:
		print("heddle: no verdict, and no op")
	elif run_to(replay.steps[0].step):
		print("heddle: no verdict; this is the first op")
		tell_stop()

def cmd_tasks(_):
	"""heddle tasks
Each task: number, name, state, ops executed, locks held; the op that it
executes, would execute next, or waits in.  * is the one that ran last."""
	need_run()
	ask_engine()
	for i in tasks():
		print(task_line(i).rstrip())

def cmd_bt(arg):
	"""heddle bt [TASK]
The model's frames of a task, running or parked: a number or a name; default:
the one that ran last.  heddle task TASK goes there."""
	need_run()
	i = task_named(arg)
	look_at(i)
	for f in frames():
		if is_model(f):
			sal = f.find_sal()
			print("#%-2u %s%s" % (f.level(), f.name(), at(
				"%s:%u" % (sal.symtab.filename, sal.line))))

def cmd_task(arg):
	"""heddle task TASK
Go there: frame, up, info locals, print are about this task."""
	need_run()
	look_at(task_named(arg))
	select_model()
	gdb.execute("frame")

def got(i, h):
	"""Since when and from where does the task have the lock?"""
	k, s = int(h["n"]), replay.locks.get((i, int(h["n"]), int(h["map"])))
	if not s:
		return "the beginning"
	while (i, k) in replay.told and replay.told[i, k].values == "waits":
		k += 1
	op = replay.told.get((i, k))
	if op and op.place == s.place:
		s = op
	return "step %u%s" % (s.step, at(s.place))

def cmd_locks(_):
	"""heddle locks
Who holds what since which step, and who waits for what."""
	need_run()
	for i in tasks():
		for h in held_by(i):
			print("%s holds %s since %s" % (name(i), lock_text(h),
							got(i, h)))
		if takes(i):
			print("%s %s %s%s" % (
				name(i), "waits for" if announced(task(i)) else
				"is about to take", lock_text(top(task(i))),
				at(op_of(i).place) if op_of(i) else ""))

def cmd_step(arg):
	"""heddle step [N]
Go on to the next op of any task, N times.  It was just executed; of a plain
store that is seen when its task comes back to the engine."""
	need_run()
	n, left = number(arg or "1", 1), steps_left()
	if n > len(left):
		print("heddle: %u ops are left; to the end or the next verdict"
		      % len(left))
	if resume("continue", left[n - 1].step if n <= len(left) else None):
		tell_stop()

def cmd_goto(arg):
	"""heddle goto STEP
To the first op from this step on, from the beginning of the run if it is
over: a replay is exact."""
	goal = number(arg, 1)
	if not replay.steps and not restart():
		return
	ahead = [s.step for s in replay.steps if s.step >= goal]
	if not ahead:
		fail("there is no op from step %u on (heddle steps)" % goal)
	on_the_way = gdb.selected_inferior().pid and debug("live") and \
		ahead[0] > here()
	if (on_the_way or restart()) and run_to(ahead[0]):
		tell_stop()

def cmd_out(_):
	"""heddle out
Back from the engine into the model's code of the task that runs, where gdb's
own next and step go on: the engine's functions are stepped over."""
	need_run()
	if replay.running is None:
		fail("no task runs")
	look_at(replay.running)
	if not select_model():
		fail("%s is not in the model" % name(replay.running))
	f = gdb.selected_frame().newer()
	while f and f.type() == gdb.INLINE_FRAME: # none to return from
		f = f.newer()
	if f:
		f.select()
		gdb.execute("finish")

def cmd_steps(_):
	"""heddle steps
All ops of the run, executed or not yet."""
	for s in replay.steps:
		print(s)

COMMANDS = (cmd_run, cmd_tasks, cmd_bt, cmd_task, cmd_locks, cmd_step,
	    cmd_goto, cmd_out, cmd_steps)

class Heddle(gdb.Command):
	"""heddle: where a replay stands.  Alone it lists its commands."""
	def __init__(self):
		super().__init__("heddle", gdb.COMMAND_RUNNING, prefix=True)

	def invoke(self, arg, _):
		if arg:
			fail("no such command: heddle %s" % arg)
		for f in COMMANDS:
			print(f.__doc__)

class Sub(gdb.Command):
	def __init__(self, f):
		self.__doc__ = f.__doc__.partition("\n")[2]
		super().__init__("heddle " + f.__name__[4:],
				 gdb.COMMAND_RUNNING)
		self.f = f

	def invoke(self, arg, _):
		self.f(arg.strip())

Heddle()
for command in COMMANDS:
	Sub(command)
# the engine judges wild accesses of models by their SIGSEGV
gdb.execute("handle SIGSEGV nostop noprint pass", to_string=True)
# what a sandbox may forbid; the world lies at fixed addresses anyway
gdb.execute("set disable-randomization off")
gdb.execute("set auto-load libthread-db off") # there is one thread
try:
	gdb.execute("set debuginfod enabled off")
except gdb.error:
	pass
