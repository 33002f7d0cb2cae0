"""The sets of rules that were tried, the documents' and the chosen one among them."""

from bench.simulate.autoscaler import Rules

# A pod of the simulation has four places, so that a day stays short; depths are a pod's, so they are stated as such.
SLOTS = 4
PEAK = 3.0  # scans a second in the evening

_HOUR = 3600.0
DOCUMENTS = Rules("documents: depth, out 30 s, in 60 s", depth=SLOTS * 1.25, polling=30, out_window=30, in_window=60)
CHOSEN = Rules("chosen: in system 0.8, in 300 s", busy=0.8, polling=15, in_window=300, in_share=0.25)
TRIED = (
    Rules("20 pods, always", least=20),
    DOCUMENTS,
    Rules("depth and age, out 0, in 300 s", depth=SLOTS / 2, age=5, in_window=300),
    Rules("in system 0.7, out 30 s, in 60 s", busy=0.7, polling=30, out_window=30, in_window=60),
    Rules("in system 0.7, in 300 s", busy=0.7, in_window=300, in_share=0.25),
    CHOSEN,
    Rules("in system 0.8, in 600 s", busy=0.8, in_window=600, in_share=0.25),
    Rules(
        "chosen, 10 pods from 17:50 to 22:00",
        busy=0.8,
        in_window=300,
        in_share=0.25,
        crons=((17 * _HOUR + 3000, 22 * _HOUR, 10),),
    ),
)
