-- Turns the HTML of tables and figures into real ones, numbers them, resolves @tbl-x and @fig-x, picks the picture
-- type, and moves the first page before the contents. The same filter serves HTML, Word and Typst.

local word = {tbl = "Bảng", fig = "Hình"}
local sequence = {tbl = "Table", fig = "Figure"}
local count = {tbl = 0, fig = 0}
local label = {}
local is_html, is_word, is_typst = FORMAT:match("html") ~= nil, FORMAT == "docx", FORMAT == "typst"

local function read_words(meta)
  if meta["word-table"] then word.tbl = pandoc.utils.stringify(meta["word-table"]) end
  if meta["word-figure"] then word.fig = pandoc.utils.stringify(meta["word-figure"]) end
end

local function kind_of(id)
  local kind = id and id:match("^(%a+)%-")
  return word[kind] and kind or nil
end

local function word_run(inner)
  return "<w:r><w:rPr><w:b/></w:rPr>" .. inner .. "</w:r>"
end

-- "Bảng 1. " before a caption; in Word the number is a real SEQ field, so that a list of tables can be made there
local function caption_prefix(kind, number, again)
  if not is_word then
    return {pandoc.Strong(pandoc.Str(word[kind] .. "\u{a0}" .. number .. ".")), pandoc.Space()}
  end
  local field = word_run('<w:fldChar w:fldCharType="begin"/>')
    .. word_run('<w:instrText xml:space="preserve"> SEQ ' .. sequence[kind] .. (again and " \\c" or "") .. " \\* ARABIC </w:instrText>")
    .. word_run('<w:fldChar w:fldCharType="separate"/>') .. word_run("<w:t>" .. number .. "</w:t>")
    .. word_run('<w:fldChar w:fldCharType="end"/>')
  local before = word_run('<w:t xml:space="preserve">' .. word[kind] .. "\u{a0}</w:t>")
  local after = word_run('<w:t xml:space="preserve">. </w:t>')
  return {pandoc.RawInline("openxml", before .. field .. after)}
end

-- a part of a table that was too wide for the page carries the number of the first part
local function number_caption(block)
  local again = block.classes:includes("continued")
  local kind = again and "tbl" or kind_of(block.identifier)
  local first = block.caption.long[1]
  if not kind or not first then return end
  if not again then
    count[kind] = count[kind] + 1
    label[block.identifier] = word[kind] .. "\u{a0}" .. count[kind]
  end
  local prefix = caption_prefix(kind, count[kind], again)
  for index = #prefix, 1, -1 do table.insert(first.content, 1, prefix[index]) end
end

local function typst(text) return pandoc.RawBlock("typst", text) end

local function note(block)
  if is_typst then
    local blocks = pandoc.List({typst("#tablenote[")})
    blocks:insert(block)
    blocks:insert(typst("]"))
    return blocks
  end
  return pandoc.List({pandoc.Div({block}, pandoc.Attr("", {"note"}, {["custom-style"] = "Note"}))})
end

local function centre_header(block)
  for _, row in ipairs(block.head.rows) do
    for _, cell in ipairs(row.cells) do cell.alignment = "AlignCenter" end
  end
end

-- In Typst the line under a table is its last row, and stands in the footer together with the row before it: so it
-- stays with the table where that runs over a page, and never comes alone under a repeated header
local function note_as_row(block, line)
  local cell = pandoc.Cell({pandoc.Plain(pandoc.List({pandoc.RawInline("typst", "#tablenote[")}) .. line.content
    .. pandoc.List({pandoc.RawInline("typst", "]")}))}, "AlignLeft", 1, #block.colspecs)
  cell.attr.attributes["typst:stroke"] = "(top: 0.5pt + rgb(\"#4b5563\"), rest: none)"
  local body = #block.bodies == 1 and block.bodies[1].body or {}
  if #body > 1 then
    block.foot.rows:insert(body[#body])
    body:remove()
    block.bodies[1].body = body
  end
  block.foot.rows:insert(pandoc.Row({cell}))
end

local function table_blocks(div)
  local out = pandoc.List()
  local long = div.classes:includes("long")
  local size = "12"
  for _, class in ipairs(div.classes) do size = class:match("^size%-(%d+)$") or size end
  if is_typst then
    local tight = tostring(div.classes:includes("tight"))
    out:insert(typst("#sipastable(breakable: " .. tostring(long) .. ", tight: " .. tight .. ", size: " .. size .. "pt)["))
  end
  local line = div.content[#div.content]
  if is_typst and line.t == "Para" then
    note_as_row(div.content[#div.content - 1], line)
    div.content:remove()
  end
  for _, block in ipairs(div.content) do
    if block.t == "Table" then
      number_caption(block)
      centre_header(block)
      out:insert(is_html and pandoc.Div({block}, pandoc.Attr("", {"wide"})) or block)
    else
      out:extend(note(block))
    end
  end
  if is_typst then out:insert(typst("]")) end
  if is_html then return pandoc.List({pandoc.Div(out, pandoc.Attr("", {"sipas-table", "size-" .. size}))}) end
  return out
end

local function inlines_in_typst(inlines)
  return (pandoc.write(pandoc.Pandoc({pandoc.Plain(inlines)}), "typst"):gsub("%s+$", ""))
end

local function typst_string(text)
  return '"' .. text:gsub("\\", "\\\\"):gsub('"', '\\"') .. '"'
end

-- pandoc's Typst writer drops the alternative text, so the figure is written here
local function typst_figure(figure)
  local image
  figure:walk({Image = function(found) image = found end})
  local width = image.attributes.width or "16cm"
  local alt = typst_string(pandoc.utils.stringify(image.caption))
  return typst("#figure(kind: image, alt: " .. alt .. ", image(" .. typst_string(image.src) .. ", width: " .. width
    .. ", alt: " .. alt .. "), caption: [" .. inlines_in_typst(figure.caption.long[1].content) .. "]) <"
    .. figure.identifier .. ">")
end

-- on a screen the text is wider than on paper: a width in centimetres becomes a share of the line
local function share_of_line(width)
  local centimetres = width:match("^([%d%.]+)cm$")
  return centimetres and string.format("%.0f%%", math.min(100, tonumber(centimetres) / 16 * 100)) or width
end

local function figure_blocks(div)
  local out = pandoc.List()
  local vector = div.classes:includes("vector") and not is_word
  if is_typst then out:insert(typst("#sipastable(breakable: false, size: 12pt)[")) end
  for _, block in ipairs(div.content) do
    if block.t == "Figure" then
      number_caption(block)
      local shown = block:walk({Image = function(image)
        if vector then image.src = image.src:gsub("%.png$", ".svg") end
        local width = (image.attributes.style or ""):match("width:%s*([%d%.]+%a+)")
        image.attributes.style = nil
        if width then image.attributes.width = is_html and share_of_line(width) or width end
        return image
      end})
      out:insert(is_typst and typst_figure(shown) or shown)
    else
      out:extend(note(block))
    end
  end
  if is_typst then out:insert(typst("]")) end
  if is_html then return pandoc.List({pandoc.Div(out, pandoc.Attr("", {"sipas-figure"}))}) end
  return out
end

-- raw code of an output format comes from tables and figures only: anywhere else it is text that someone typed
local function words_of(block) return pandoc.Para({pandoc.Str(block.text)}) end

local function raw_inline(element) return pandoc.Str(element.text) end

local function raw_block(block)
  if block.format ~= "html" then return words_of(block) end
  local div = pandoc.read(block.text, "html+native_divs").blocks[1]
  if not div or div.t ~= "Div" then return words_of(block) end
  if div.classes:includes("sipas-table") then return table_blocks(div) end
  if div.classes:includes("sipas-figure") then return figure_blocks(div) end
  return words_of(block)
end

local function finding(div)
  if not div.classes:includes("finding") then return nil end
  if is_word then div.attributes["custom-style"] = "Finding" end
  if is_typst then
    local out = pandoc.List({typst("#finding[")})
    out:extend(div.content)
    out:insert(typst("]"))
    return out
  end
  return div
end

-- a reference to a table or figure that does not exist was refused before pandoc ran; any other "@name" is plain text
local function cite(element)
  local out = pandoc.List()
  for _, citation in ipairs(element.citations) do
    if not label[citation.id] then return element.content end
    if #out > 0 then out:insert(pandoc.Str(", ")) end
    out:insert(pandoc.Link({pandoc.Str(label[citation.id])}, "#" .. citation.id))
  end
  return out
end

-- a document makes no request: a picture on the network becomes a link
local function image(element)
  if element.src:match("^https?://") then return pandoc.Link(element.caption, element.src) end
  -- nor does it take in a file that is not its own
  if not element.src:match("^media/[%w_-]+%.%a+$") then return element.caption end
end

-- names come from data: a link leads to a place in the document or to a page, and starts nothing
local function link(element)
  if not (element.target:match("^#") or element.target:match("^https?://") or element.target:match("^mailto:")) then
    return element.content
  end
end

local function unnumbered(header)
  header.classes:insert("unnumbered")
  header.classes:insert("unlisted")
  return header
end

local function front(document)
  local body = pandoc.List()
  for _, block in ipairs(document.blocks) do
    if block.t == "Div" and block.identifier == "front" then
      document.meta.front = pandoc.MetaBlocks(pandoc.Div(block.content):walk({Header = unnumbered}).content)
    else
      body:insert(block)
    end
  end
  document.blocks = body
  return document
end

return {
  {Meta = read_words},
  {RawBlock = raw_block, RawInline = raw_inline, Image = image},
  {Cite = cite, Div = finding, Link = link},
  {Pandoc = front},
}
