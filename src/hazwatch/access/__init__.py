"""感知数据接入: one module per protocol behind one small interface (``port.py``).

An adapter turns its protocol into ``SampleBatch`` and nothing else. What it cannot accept it refuses with a reason;
the rest of the message goes on.
"""
