// Sleep with a spinlock held.
@asleep exists@
expression L;
identifier take = { spin_lock, spin_lock_irq, spin_lock_bh, spin_lock_irqsave, read_lock, write_lock, raw_spin_lock };
identifier sleeps = {
  mutex_lock, mutex_lock_interruptible, msleep, ssleep, schedule, schedule_timeout, down,
  down_interruptible, down_read, down_write, copy_from_user, copy_to_user, vmalloc, vzalloc,
  wait_for_completion, kthread_stop, cancel_work_sync, cancel_delayed_work_sync, flush_work,
  del_timer_sync_wait, synchronize_rcu, usleep_range, request_irq, free_irq, wait_event,
  wait_event_interruptible, filp_open, kernel_read, misc_register, misc_deregister, get_user, put_user
};
identifier make = { kmalloc, kzalloc, kcalloc, kmalloc_array, kmemdup, kstrdup, kasprintf, kmem_cache_alloc, kmem_cache_zalloc };
position taken, used;
@@
 take@taken(L, ...);
 ... when != \(spin_unlock\|spin_unlock_irq\|spin_unlock_bh\|spin_unlock_irqrestore\|read_unlock\|write_unlock\|raw_spin_unlock\)(L, ...)
(
 sleeps@used(...)
|
 make@used(..., GFP_KERNEL, ...)
)

@script:python@
taken << asleep.taken;
used << asleep.used;
L << asleep.L;
@@
tell(used, "lockup-hang", "this may sleep, and line %s holds the spinlock %s: move it out, or use GFP_ATOMIC or a mutex" % (taken[0].line, tidy(L)))

// A return with a lock held that the function gives back elsewhere.
@held exists@
expression L;
position taken, left;
@@
(
 mutex_lock@taken(L);
 ... when != mutex_unlock(L)
 if (...) { ... when != mutex_unlock(L)
   return@left ...; }
 ... when any
 mutex_unlock(L);
|
 spin_lock@taken(L);
 ... when != spin_unlock(L)
 if (...) { ... when != spin_unlock(L)
   return@left ...; }
 ... when any
 spin_unlock(L);
|
 spin_lock_irqsave@taken(L, ...);
 ... when != spin_unlock_irqrestore(L, ...)
 if (...) { ... when != spin_unlock_irqrestore(L, ...)
   return@left ...; }
 ... when any
 spin_unlock_irqrestore(L, ...);
|
 spin_lock_irq@taken(L);
 ... when != spin_unlock_irq(L)
 if (...) { ... when != spin_unlock_irq(L)
   return@left ...; }
 ... when any
 spin_unlock_irq(L);
)

@script:python@
taken << held.taken;
left << held.left;
L << held.L;
@@
tell(left, "lockup-hang", "%s, taken in line %s, is still held here" % (tidy(L), taken[0].line))

// The same lock taken twice.
@locked_twice exists@
expression L;
identifier take = { spin_lock, spin_lock_irq, spin_lock_bh, spin_lock_irqsave, mutex_lock };
identifier again = { spin_lock, spin_lock_irq, spin_lock_bh, spin_lock_irqsave, mutex_lock };
position first, second;
@@
 take@first(L, ...);
 ... when != \(spin_unlock\|spin_unlock_irq\|spin_unlock_bh\|spin_unlock_irqrestore\|mutex_unlock\)(L, ...)
 again@second(L, ...);

@script:python@
first << locked_twice.first;
second << locked_twice.second;
L << locked_twice.L;
@@
if key(first) != key(second):
    tell(second, "lockup-hang", "%s is held since line %s, and is waited for here" % (tidy(L), first[0].line))

// A loop that nothing ends.
@ended_while exists@
identifier out;
identifier pause = { schedule, schedule_timeout, msleep, ssleep, usleep_range, cond_resched, wait_event_interruptible, kthread_should_stop };
position begun;
@@
 while@begun (1) {
 ...
(
 break;
|
 return ...;
|
 goto out;
|
 pause(...)
)
 ... when any
 }

@ended_for exists@
identifier out;
identifier pause = { schedule, schedule_timeout, msleep, ssleep, usleep_range, cond_resched, wait_event_interruptible, kthread_should_stop };
position begun;
@@
 for@begun (;;) {
 ...
(
 break;
|
 return ...;
|
 goto out;
|
 pause(...)
)
 ... when any
 }

@endless@
statement S;
position used != { ended_while.begun, ended_for.begun };
@@
(
 while@used (1) S
|
 for@used (;;) S
)

@script:python@
used << endless.used;
@@
tell(used, "lockup-hang", "nothing ends or interrupts this loop: a timeout, kthread_should_stop() or cond_resched()")
