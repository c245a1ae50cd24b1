"""一园一档, 一企一档: parks, enterprises, hazard sources, equipment, gateways, points and their limits."""
