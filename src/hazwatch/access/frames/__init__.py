"""Raw frames 裸帧: columns of samples over TCP, for gateways that are programmed for this node and want to be fast.

    server greets      "HZF1" · nonce[16]
    gateway says       length u32 · JSON {"gateway", "mac", "points": [addresses]}
    server answers     length u32 · JSON {"ok", "unknown": [positions], "error"}
    gateway sends      header[32] · body · mac[16]          (as many as it likes before the first answer)
    server answers     acknowledgement[24], once the frame is durable, or with the reason why it is not

``mac`` of the greeting is HMAC-SHA256 of nonce and gateway code under the gateway's key; from it comes the key of the
session, which seals every frame. A frame that is not acknowledged is sent again under its sequence number and is taken
once. Little-endian throughout; ``codec`` says what header and body hold.
"""
