"""What the outside must know of our domain: DNS records wanted and checked, certificates, DKIM keys.

dkim_keys    new DKIM keys
"""
