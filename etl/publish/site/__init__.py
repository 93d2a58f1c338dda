"""The archive site: every published release, its files and figures, as plain pages that need no server.

``archive.build`` reads the warehouse and writes the tree; the other modules say what stands on each page.
"""
