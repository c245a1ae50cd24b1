"""一企一档, 一园一档: files of enterprises and parks, declared once (``enterprise``, ``park``), kept versioned."""
