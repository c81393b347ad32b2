/* Takes an interrupt line for its beat; without a weight it gives up, and frees the line twice. */
#include "seed.h"
#include <linux/interrupt.h>
#include <linux/irq.h>

static int beat, weight;

static irqreturn_t metronome_beat(int irq, void *unused)
{
	return IRQ_HANDLED;
}

static int __init metronome_init(void)
{
	int err;

	beat = irq_alloc_desc(0);
	if (beat < 0)
		return beat;
	irq_set_chip_and_handler(beat, &dummy_irq_chip, handle_simple_irq);
	irq_clear_status_flags(beat, IRQ_NOREQUEST);
	err = request_irq(beat, metronome_beat, 0, "metronome", &beat);
	if (err)
		goto no_irq;
	err = READ_ONCE(weight) ? 0 : -ENODEV;
	if (err) {
		free_irq(beat, &beat);
		goto no_weight;
	}
	return 0;
no_weight:
	free_irq(beat, &beat); /* once more */
no_irq:
	irq_free_desc(beat);
	return err;
}
module_init(metronome_init);
