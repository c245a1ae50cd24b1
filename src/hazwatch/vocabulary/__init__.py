"""Words of the trade: codes, quantities, levels, quality, colours, time. Knows nobody."""
