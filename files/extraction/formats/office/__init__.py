"""Word, Excel, PowerPoint, OpenDocument, RTF: packages, OLE containers, records, shapes, styles."""
