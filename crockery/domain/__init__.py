"""What the outside must know of our domain: DNS records wanted and checked, certificates, DKIM keys.

dkim_keys    new DKIM keys
records      the DNS records to publish, pure
checking     what the world's DNS says of them, in sentences
"""
