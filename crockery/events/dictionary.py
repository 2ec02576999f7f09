"""Dictionary 1 of the format: what mails say again and again, so that a small one need not say it itself.

Part of the log's specification: these octets, with CRLF for each line end, are what frames that begin with the octet 01
refer to. They never change; a better dictionary would be another number. Written by hand, from nobody's mail: markup,
common words, header fields, the likeliest last, since what is nearest is cheapest to refer to. Real mail, of other
years than those that it speaks of, takes a tenth less with it.
"""

from typing import Final

_TEXT: Final = b"""\
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" \
"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<!DOCTYPE html PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN" "http://www.w3.org/TR/html4/loose.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" lang="en"><head><meta http-equiv="Content-Type" content="text/html; \
charset=utf-8" /><meta http-equiv="X-UA-Compatible" content="IE=edge"><meta name="viewport" \
content="width=device-width, initial-scale=1.0"><title></title>
<style type="text/css">
body { margin: 0; padding: 0; background-color: #f5f5f5; font-family: Arial, Helvetica, sans-serif; font-size: \
14px; line-height: 1.5; color: #333333; -webkit-text-size-adjust: 100%; -ms-text-size-adjust: 100%; }
img { border: 0; outline: none; text-decoration: none; -ms-interpolation-mode: bicubic; display: block; \
max-width: 100%; height: auto; }
table { border-collapse: collapse; mso-table-lspace: 0pt; mso-table-rspace: 0pt; } a { color: #0066cc; \
text-decoration: none; } p { margin: 0 0 10px 0; }
@media only screen and (max-width: 600px) { .container { width: 100% !important; } .hide { display: none \
!important; } }
</style></head><body bgcolor="#FFFFFF" text="#000000" link="#0000FF" vlink="#800080" topmargin="0" \
leftmargin="0" marginwidth="0" marginheight="0">
<table width="100%" border="0" cellspacing="0" cellpadding="0" align="center" role="presentation" \
style="border-collapse:collapse;width:100%;max-width:600px;margin:0 auto;">
<tr><td align="center" valign="top" bgcolor="#ffffff" style="padding: 20px; font-family: Arial, Helvetica, \
sans-serif; font-size: 16px; line-height: 24px; color: #000000; text-align: center; font-weight: bold;">
<font face="Arial, Helvetica, sans-serif" size="2" color="#000000"><b></b></font><font face="Verdana" \
size="1"></font><font color="#FF0000"><strong></strong></font>
<img src="http://www." width="1" height="1" border="0" alt="" style="display:block;"><br><a href="https://www." \
target="_blank" style="color:#ffffff;text-decoration:underline;">Unsubscribe</a>&nbsp;|&nbsp;
<p align="center"><font size="3"></font></p><p>&nbsp;</p><div align="center"><center></center></div><span \
style="font-size:12px;"></span><h1></h1><h2></h2><ul><li></li></ul><hr><blockquote></blockquote>
</td></tr><tr><td colspan="2" height="10">&nbsp;</td></tr></table></td></tr></table></div></body></html>
<html><head><meta http-equiv=3D"Content-Type" content=3D"text/html; charset=3Dutf-8"></head><body><div \
dir=3D"ltr"><div class=3D"gmail_default" style=3D"font-family:arial,helvetica,sans-serif;font-size:small"></div>\
</div>
<div class=3D"gmail_quote"><div dir=3D"ltr" class=3D"gmail_attr">On Mon, Jan 1, 2024 at 10:00 AM &lt;<a \
href=3D"mailto:">&gt; wrote:<br></div><blockquote class=3D"gmail_quote" style=3D"margin:0px 0px 0px \
0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex">
<p class=3D"MsoNormal"><span style=3D"font-size:11.0pt;font-family:&quot;Calibri&quot;,sans-serif;color:#1F497D"\
><o:p>&nbsp;</o:p></span></p><table width=3D"100%" border=3D"0" cellspacing=3D"0" cellpadding=3D"0" \
align=3D"center" bgcolor=3D"#FFFFFF"><tr><td align=3D"center" valign=3D"top" height=3D"20" style=3D"padding:0 \
20px"><font face=3D"Arial, Helvetica, sans-serif" size=3D"2" color=3D"#000000"><b><a href=3D"http://www.<img \
src=3D"http://www. border=3D"0" width=3D"1" height=3D"1" alt=3D""></a></td></tr></table><br></body></html>
This is a multi-part message in MIME format.

------=_NextPart_000_0000_01C00000.00000000
Content-Type: text/plain; charset="iso-8859-1"
Content-Transfer-Encoding: quoted-printable

Content-Type: text/html; charset="UTF-8"
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename="document.pdf"
Content-Type: application/octet-stream; name="image001.png"
Content-Disposition: inline; filename="image001.png"
Content-ID: <image001.png@01DA0000.00000000>
Content-Type: multipart/alternative; boundary="----=_Part_0_
Content-Type: multipart/mixed; boundary="
Content-Type: multipart/related; type="multipart/alternative"; boundary="_000_
Content-Type: multipart/signed; micalg=pgp-sha256; protocol="application/pgp-signature"; boundary="
Content-Type: application/pgp-signature; name="signature.asc"
-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256
-----BEGIN PGP SIGNATURE-----
Version: GnuPG v2
-----END PGP SIGNATURE-----

Hello everyone, thank you for your message. I think that it would be a good idea if we could do this, but I \
don't know what the problem is with the other one. There are some people who have been using this for a long \
time and it seems to work. As far as I can tell, you should be able to get the latest version from the web \
site. Please let me know if you have any questions, or if there is anything else that I can help you with. I am \
looking forward to hearing from you. If you would like to receive more information about this, please click \
here or reply to this message. You are receiving this email because you have subscribed to our newsletter. To \
unsubscribe from this list, send an email to the following address with the word "unsubscribe" in the subject \
line, or visit our website at http://www. This message was sent to you because you are a member of this mailing \
list. If you do not wish to receive any more of these emails in the future, please click on the link below. We \
will remove your name from our list immediately. All rights reserved. Privacy Policy. Terms of Service. \
Copyright (c) All Rights Reserved. Inc. company, business, information, internet, computer, software, system, \
service, server, security, network, number, order, price, money, account, free, today, now, new, first, people, \
world, government, years, days, time, work, make, need, want, just, only, about, because, before, after, \
between, through, without, which, where, when, what, would, could, should, their, there, these, those, have \
been, has been, will be, can be, may be, is not, does not, do not, I'm, it's, that's, doesn't, can't, won't, \
isn't, wasn't, haven't, however, although, actually, probably, really, something, anything, everything, \
another, someone, different, important, possible, available, required, interesting, following, including, \
according to, such as, for example, in order to, at least, at the same time, on the other hand, of the, in the, \
to the, and the, for the, on the, that the, with the, from the, by the, at the, to be, is a, of a, in a, with \
a, as a, and I, if you, you can, you have, you are, I have, I was, it was, we have, they are, this is, there \
is, the first, the same, the best, your own, one of the, some of the, a lot of, out of the, as well as, the \
fact that, the number of
> On Monday, January 1, 2024, wrote:
> > I think that the
>> wrote:
-----Original Message-----
From:\x20
Sent: Monday, January 1, 2024 10:00 AM
To:\x20
Cc:\x20
Subject: RE:\x20
______________________________________________
mailing list
@lists.sourceforge.net
https://lists.sourceforge.net/lists/listinfo/
http://www.
@example.com
Kind regards,
Best regards,
Thanks,
Regards,
--\x20
-------------------------------------------------------
=20
=20
=20
=3D=3D=3D
Delivered-To:\x20
Return-Path: <>
Received: from mail-wm1-f41.google.com (mail-wm1-f41.google.com [209.85.128.41]) (using TLSv1.3 with cipher \
TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest \
SHA256) (No client certificate requested) by mx. (Postfix) with ESMTPS id  for <>; Mon,  1 Jan 2024 10:00:00 \
+0000 (UTC)
Received: by 2002:a05:6000: with SMTP id ; Mon, 01 Jan 2024 10:00:00 -0800 (PST)
Received: from localhost (localhost [127.0.0.1]) by (Postfix) with ESMTP id  for <>; Tue, 2 Feb 2024 (EST)
Received: from unknown (HELO mail.) by 0 with SMTP; Wed, 3 Mar 2024 -0500
Received: from [192.168.1.1] (helo=) by with esmtp (Exim 4.96) (envelope-from <>) id ; Thu, 4 Apr 2024 +0100
Received: from EUR05-AM6-obe.outbound.protection.outlook.com by with Microsoft SMTP Server (version=TLS1_2, \
cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.20; Fri, 5 May 2024 +0200
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=gmail.com; s=20230601; t=1704067200; x=1704672000; \
h=to:subject:message-id:date:from:mime-version:from:to:cc:subject:date:message-id:reply-to:list-unsubscribe:cont\
ent-type; bh=; b=
X-Google-DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=1e100.net;
X-Gm-Message-State: AOJu0Y
X-Google-Smtp-Source: AGHT+
X-Received: by 2002:a05:
ARC-Seal: i=1; a=rsa-sha256; d=google.com; s=arc-20240605; cv=none; b=
ARC-Message-Signature: i=1; a=rsa-sha256; c=relaxed/relaxed;
ARC-Authentication-Results: i=1; mx.google.com; dkim=pass header.i=@ header.s= header.b=; spf=pass (google.com: \
domain of  designates  as permitted sender) smtp.mailfrom=; dmarc=pass (p=REJECT sp=REJECT dis=NONE) \
header.from=
Authentication-Results:\x20
Received-SPF: pass
X-MS-Exchange-Organization-SCL: 1
X-MS-Has-Attach:\x20
X-MS-TNEF-Correlator:\x20
X-Originating-IP: []
Thread-Topic:\x20
Thread-Index:\x20
X-Spam-Status: No, score=
X-Spam-Level:\x20
X-Virus-Scanned:\x20
List-Id:  <>
List-Unsubscribe: <mailto:-request@?subject=unsubscribe>, <https://>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
List-Subscribe: <mailto:-request@?subject=subscribe>
List-Help: <mailto:-request@?subject=help>
List-Post: <mailto:>
List-Archive: <>
Feedback-ID:\x20
Precedence: bulk
Sender:\x20
Errors-To:\x20
X-Beenthere:\x20
X-Mailman-Version: 2.1
X-Priority: 3 (Normal)
X-MSMail-Priority: Normal
Importance: Normal
X-Mailer: Microsoft Outlook 16.0
X-MimeOLE: Produced By Microsoft MimeOLE V6.00
User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Thunderbird/115.0
Auto-Submitted: auto-generated
Date: Sat, 6 Jun 2024 10:00:00 -0700
Date: Sun, 7 Jul 2024 10:00:00 +0000 (GMT)
Mon, Tue, Wed, Thu, Fri, Sat, Sun, Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec 2024 2025 2026
Message-ID: <@mail.gmail.com>
Message-Id: <.JavaMail.root@
In-Reply-To: <
References: <
Reply-To:\x20
From: "
To: <
CC:\x20
Subject: Re:\x20
Subject: Fwd:\x20
Subject: =?UTF-8?Q?
Subject: =?utf-8?B?
MIME-Version: 1.0
Mime-Version: 1.0
Content-Language: en-US
Content-Type: text/plain; charset=us-ascii
Content-Type: text/plain; charset=UTF-8; format=flowed
Content-Type: text/html; charset=utf-8
Content-Disposition: inline
Content-Transfer-Encoding: 8bit
Content-Transfer-Encoding: 7bit

"""

DICTIONARY: Final = _TEXT.replace(b"\n", b"\r\n")
