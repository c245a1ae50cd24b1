"""SampleBatch, the one data type on the way from the socket to the store, and its codec on the log."""
