"""ONNX Runtime through its Python interface, in the same conversation as the forest programs (see
worker.h): one thread, one session.

usage: onnx_worker.py MODEL.onnx ROWS WIDTH"""
import sys
import time

import numpy
import onnxruntime

BATCH = 1024
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
output = [session.get_outputs()[-1].name]
rows = numpy.fromfile(sys.argv[2], "f").reshape(-1, int(sys.argv[3]))


def batches(size):
    place = 0
    while True:
        place = place + size if place + 2 * size <= len(rows) else 0
        yield rows[place:place + size]


NEXT = {"one": batches(1), "batch": batches(BATCH)}
SIZE = {"one": 1, "batch": BATCH}


def timed(mode, milliseconds):
    n, began, passed = 0, time.thread_time_ns(), 0
    while passed < milliseconds * 1e6:
        session.run(output, {"x": next(NEXT[mode])})
        n += SIZE[mode]
        passed = time.thread_time_ns() - began
    return f"{passed / n:.3f}"


def scores():
    return " ".join("%.9g" % row[1] for row in session.run(output, {"x": rows[:512]})[0])


print("ready", flush=True)
for line in sys.stdin:
    mode, milliseconds = line.split()
    print(scores() if mode == "scores" else timed(mode, float(milliseconds)), flush=True)
